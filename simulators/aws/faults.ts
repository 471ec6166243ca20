/** What goes wrong, by a schedule that is known beforehand, so that a run can be repeated. */
import { createHash } from 'node:crypto'
import type { Json } from './wire.ts'

/** Before the change reaches the state behind, or when its answer is on the way back. */
export type Phase = 'before' | 'after'
export type Act =
  /** The connection breaks; nothing is answered. */
  | { readonly kind: 'drop' }
  /** The connection stays, and nothing is ever answered. */
  | { readonly kind: 'no-answer' }
  /** Such a status with a body that is no JSON, as a load balancer answers. */
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'error'; readonly type: string; readonly more?: Json; readonly status?: number }
  /** A list names the token again that it was asked with. */
  | { readonly kind: 'repeat-token' }
  /** Only in the same process: something else happens at this moment. */
  | { readonly kind: 'meanwhile'; readonly work: () => Promise<void> }

export type Fault = {
  /** `CreateUser`; `*write`: any operation that changes something; `*`: any. */
  readonly operation: string
  /** Of the matching calls since it was armed: 1 is the next. */
  readonly nth: number
  readonly phase: Phase
  readonly act: Act
}

export type Faults = {
  readonly arm: (...faults: readonly Fault[]) => void
  readonly disarm: () => void
  /** What happens to this call. Each fault happens once. */
  readonly at: (operation: string, phase: Phase) => Act | null
}

const reads = /^(Describe|Get|List|IsMember)/
export const isWrite = (operation: string): boolean => !reads.test(operation)

const matches = (pattern: string, operation: string): boolean =>
  pattern === '*' || pattern === operation || (pattern === '*write' && isWrite(operation))

export const faults = (): Faults => {
  let armed: { fault: Fault; seen: number }[] = []
  return {
    arm: (...more) => {
      armed.push(...more.map((fault) => ({ fault, seen: 0 })))
    },
    disarm: () => {
      armed = []
    },
    at: (operation, phase) => {
      let due: (typeof armed)[number] | undefined
      for (const entry of armed) {
        if (entry.fault.phase !== phase || !matches(entry.fault.operation, operation)) continue
        entry.seen += 1
        if (entry.seen === entry.fault.nth) due ??= entry
      }
      if (due === undefined) return null
      armed = armed.filter((entry) => entry !== due)
      return due.fault.act
    },
  }
}

/** `percent` of the first `calls` writes go wrong, chosen by the seed alone: the same seed, the same bad day. */
export const seededFaults = (seed: string, calls: number, percent: number): readonly Fault[] => {
  const acts: readonly Act[] = [{ kind: 'drop' }, { kind: 'status', status: 503 }, { kind: 'status', status: 500 }]
  return Array.from({ length: calls }, (_, at) => {
    const [first = 0, second = 0, third = 0] = createHash('sha256').update(`${seed} ${at}`).digest()
    if ((first / 256) * 100 >= percent) return []
    const act = acts[second % acts.length] ?? { kind: 'drop' }
    return [{ operation: '*write', nth: at + 1, phase: third % 2 === 0 ? 'before' : 'after', act } as const]
  }).flat()
}
