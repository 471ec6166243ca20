/** What AWS offers to SCIM and to nobody else, and what only a simulator can tell: GET and POST below /_simulator. */
import { seededFaults } from './faults.ts'
import type { Simulator } from './simulator.ts'
import { type Answer, type Json, record } from './wire.ts'

const ok = (body: Json): Answer => ({ status: 200, body })
const missing: Answer = { status: 404, body: { message: 'not there' } }

export const inspect = (method: string, path: string, text: string, simulator: Simulator): Answer => {
  const [, kind = '', id = ''] = path.split('/')
  const body = record(text === '' ? {} : JSON.parse(text))
  const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(record) : [])
  switch (`${method} ${kind}`) {
    case 'GET instance':
      return ok({ identityStoreId: simulator.identityStoreId, instanceArn: simulator.instanceArn })
    case 'GET calls':
      return ok({ calls: simulator.calls() })
    case 'GET load':
      return ok(simulator.assignments.load())
    case 'POST users': {
      const user = simulator.state.users.get(id)
      if (user === undefined) return missing
      if (body.ExternalIds !== undefined) user.externalIds = list(body.ExternalIds)
      if (body.UserStatus === 'ENABLED' || body.UserStatus === 'DISABLED') user.status = body.UserStatus
      return ok({})
    }
    case 'POST groups': {
      const group = simulator.state.groups.get(id)
      if (group === undefined) return missing
      group.externalIds = list(body.ExternalIds)
      return ok({})
    }
    case 'POST calls-per-second':
      simulator.setCallsPerSecond(Number(body.callsPerSecond ?? 20))
      return ok({})
    case 'POST settling':
      simulator.assignments.settling = { ms: Number(body.ms ?? 0), polls: Number(body.polls ?? 0) }
      return ok({})
    case 'POST fail-next':
      simulator.assignments.failNext(String(body.reason ?? 'failed'))
      return ok({})
    case 'POST seeded-faults':
      simulator.faults.arm(...seededFaults(String(body.seed), Number(body.calls ?? 100), Number(body.percent ?? 10)))
      return ok({})
    case 'POST no-faults':
      simulator.faults.disarm()
      return ok({})
    default:
      return missing
  }
}
