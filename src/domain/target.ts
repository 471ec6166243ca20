import type { TargetId } from './ids.ts'
import type { Protection } from './protection.ts'

/** observe: read and show only. plan: actions are made and audited, none is sent. enforce: sent. */
export const targetModes = ['observe', 'plan', 'enforce'] as const
export type TargetMode = (typeof targetModes)[number]

/** What planning must know of a target; connection settings are the connector's business. */
export type TargetRules = {
  readonly id: TargetId
  readonly mode: TargetMode
  /** create: no match → create the account. expect: something else creates it; wait until `expectWithinMs`. */
  readonly accounts: 'create' | 'expect'
  /** What happens to a leaver's direct grants that no catalogue knows. */
  readonly leaverUnmanaged: 'remove' | 'report'
  /** none: accounts cannot be shut there; leavers lose all grants, and the reading of them is `endSessions`. */
  readonly disable: 'native' | 'none'
  readonly endSessions: 'native' | 'none'
  readonly protect: Protection
  /** So long after the leave an account without grants is deleted, ms; null = never. */
  readonly deleteAfterMs: number | null
}
