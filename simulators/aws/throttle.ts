/** 20 calls a second for all operations of a family together (user guide, limits): a token bucket of one second's worth. */
import { AwsError, type Service } from './wire.ts'

export type Throttle = { readonly take: (service: Service) => void }

export const throttle = (rate: () => number, now: () => number): Throttle => {
  const levels = new Map<Service, { level: number; at: number }>()
  return {
    take: (service) => {
      const at = now()
      const perSecond = rate()
      const before = levels.get(service) ?? { level: perSecond, at }
      const level = Math.min(perSecond, before.level + ((at - before.at) / 1_000) * perSecond)
      levels.set(service, { level: level >= 1 ? level - 1 : level, at })
      if (level >= 1) return
      // Identity Store names a time, sso-admin's exception has no member for one (service models).
      const wait = service === 'identitystore' ? { RetryAfterSeconds: 1 } : {}
      throw new AwsError('ThrottlingException', 'Rate exceeded', wait)
    },
  }
}
