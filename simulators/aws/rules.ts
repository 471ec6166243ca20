import type { Moto } from './moto.ts'
import type { State } from './state.ts'
import type { Json } from './wire.ts'

/** What the rules of both services work with. */
export type Behind = {
  readonly moto: Moto
  readonly state: State
  readonly identityStoreId: string
  readonly instanceArn: string
  /** Items of a page at most; AWS's own limit is 100. */
  readonly pageSize: number
  readonly now: () => number
}

/** One operation; what has no rule is asked of moto as it is. Throws AwsError. */
export type Rule = (body: Json, behind: Behind) => Promise<Json>
export type Rules = Readonly<Record<string, Rule>>

/** Lists that the simulator makes itself: the token says where the next page begins. */
export const page = <T>(items: readonly T[], body: Json, { pageSize }: Behind): { items: readonly T[]; next: Json } => {
  const from = Number(String(body.NextToken ?? 'at-0').slice(3))
  const size = Math.min(typeof body.MaxResults === 'number' ? body.MaxResults : 100, pageSize)
  const end = from + size
  return { items: items.slice(from, end), next: end < items.length ? { NextToken: `at-${end}` } : {} }
}

/** moto takes any page size; AWS's pages are never larger than 100. */
export const limited = (body: Json, { pageSize }: Behind): Json => ({
  ...body,
  MaxResults: Math.min(typeof body.MaxResults === 'number' ? body.MaxResults : 100, pageSize),
})
