import type { Connector, Operation } from '../../src/connectors/connector.ts'
import type { Outcome } from '../../src/domain/outcome.ts'
import type { AttributeValue } from '../../src/domain/worker-event.ts'
import type { Answer } from './scenario-file.ts'

/** Who would be changed, and how a scenario calls that change: `grant Entry`, `disable bank-ldap`. */
export type NamedChange = { readonly person: string; readonly change: string }
export type NameOf = (target: string, operation: Operation) => Promise<NamedChange>

const lost = (word: string): Outcome => ({ kind: 'unknown', cause: { code: 'ECONNRESET', word } })
const refusedConnection: Outcome = { kind: 'retry', cause: { code: 'ECONNREFUSED', word: 'down' } }
const busy: Outcome = { kind: 'retry', cause: { code: 'busy', word: 'not applied' } }
const keyOf = ({ person, change }: NamedChange): string => `${person} ${change}`

/**
 * Stands between the engine and its real connectors: calls of named changes hang until they are answered, and a target
 * that is down refuses every connection. Everything else passes untouched.
 */
export type Calls = ReturnType<typeof createCalls>

export const createCalls = (nameOf: NameOf) => {
  const wanted = new Set<string>()
  const standing = new Map<string, (as: Answer) => void>()
  const down = new Set<string>()
  const fails = new Set<string>()
  let hangs = Promise.withResolvers<readonly string[]>()

  const hang = (keys: readonly string[]): Promise<Answer> =>
    new Promise((answered) => {
      for (const key of keys) standing.set(key, answered)
      hangs.resolve(keys)
      hangs = Promise.withResolvers()
    })

  const wrap = (real: Connector): Connector => {
    const { target } = real
    const failing =
      <A>(hash: (worker: Readonly<Record<string, AttributeValue>>) => A) =>
      (worker: Readonly<Record<string, AttributeValue>>): A => {
        if (fails.has(String(worker.personKey))) throw new Error('nobody foresaw this worker')
        return hash(worker)
      }
    return {
      ...real,
      // Evaluation asks for these of everybody: what throws here throws in the evaluation of one person.
      attributesHash: failing(real.attributesHash),
      creationHash: failing(real.creationHash),
      apply: async (operations, context) => {
        if (down.has(target)) return operations.map(() => refusedConnection)
        if (wanted.size === 0) return real.apply(operations, context)
        const names = await Promise.all(operations.map((operation) => nameOf(target, operation)))
        const keys = names.map(keyOf).filter((key) => wanted.has(key))
        if (keys.length === 0) return real.apply(operations, context)
        const hanging = names.map((name) => wanted.has(keyOf(name)))
        // The other changes of the call are made before it hangs.
        const others = await real.apply(
          operations.filter((_, i) => !hanging[i]),
          context,
        )
        const as = await hang(keys)
        const held = operations.filter((_, i) => hanging[i])
        const made = as === 'done' || as === 'applied, answer lost' ? await real.apply(held, context) : []
        const ofOthers = others.values()
        const ofHeld = (as === 'done' ? made : held.map(() => (as === 'not applied' ? busy : lost(as)))).values()
        return hanging.map((hangs) => (hangs ? ofHeld : ofOthers).next().value ?? busy)
      },
      observe: async (operations, signal) =>
        down.has(target) ? operations.map(() => refusedConnection) : real.observe(operations, signal),
    }
  }

  return {
    wrap,
    down,
    /** People whose evaluation throws. */
    fails,
    calling: (person: string, change: string) => void wanted.add(keyOf({ person, change })),
    /** Ends the call that hangs, and tells which it was: whoever made it must then be waited for. */
    answer: (person: string, change: string, as: Answer): string => {
      const key = keyOf({ person, change })
      const answered = standing.get(key)
      if (answered === undefined) throw new Error(`no call is out that would ${change} for ${person}`)
      wanted.delete(key)
      standing.delete(key)
      answered(as)
      return key
    },
    /** The process that made them is gone: nothing was applied, and nobody hears of it. */
    dropAll: (): void => {
      wanted.clear()
      for (const answered of standing.values()) answered('not applied, answer lost')
      standing.clear()
    },
    /** Resolves when the next call hangs, with the names of what hangs in it. */
    nextHang: () => hangs.promise,
  }
}
