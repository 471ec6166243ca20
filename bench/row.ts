import type { BenchStack } from './house/bench-stack.ts'
import type { People } from './house/people.ts'
import type { Spread } from './measure/spread.ts'
import type { Scale } from './scale.ts'

/** What every row is given. */
export type Bench = {
  readonly stack: BenchStack
  readonly scale: Scale
  /** Accounts that nobody disables, made once: at least so many. */
  readonly standing: (count: number) => Promise<People>
  readonly say: (text: string) => void
  /** Directory for processor profiles, when they are wanted. */
  readonly profileTo: string | undefined
}

/** One line of the published table. */
export type Line = {
  readonly what: string
  readonly against: string
  /** The measured figure that the goal speaks of, in the goal's own unit. */
  readonly value: Spread
  readonly unit: '×' | 'share' | 'writes' | 'statements' | 'calls' | 'members' | '429s' | 'MB'
  /** null: for information only. */
  readonly goal: { readonly reach: number; readonly aim: number; readonly better: 'less' | 'more' } | null
  /** Absolute figures behind it, one a line. */
  readonly details: readonly string[]
  /** Everything measured, for bench/out/. */
  readonly samples: unknown
}

export const rowNames = [
  'joiners',
  'writes',
  'naive',
  'leaver',
  'load',
  'exodus',
  'ingest',
  'audit',
  'reconcile',
  'ldap',
  'graph',
  'aws',
  'assignments',
  'everywhere',
  'memory',
  'memberof',
] as const
export type RowName = (typeof rowNames)[number]

export type Verdict = 'aim' | 'reach' | 'missed' | 'information'

export const verdictOf = ({ value, goal }: Line): Verdict => {
  if (goal === null) return 'information'
  const is = (bar: number) => (goal.better === 'less' ? value.median <= bar : value.median >= bar)
  return is(goal.aim) ? 'aim' : is(goal.reach) ? 'reach' : 'missed'
}
