import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { readPages } from '../aws-wire/pages.ts'
import { sideBySide } from '../aws-wire/side-by-side.ts'
import type { Gate } from '../aws-wire/transport.ts'
import type { Aws } from './aws.ts'
import { groupPage } from './members.ts'
import { type Change, proveMemberships, writeMemberships } from './membership.ts'

type Changes = { readonly account: NativeId; readonly changes: readonly Change[] }
export type Crowd = { readonly groupId: string; readonly people: readonly Changes[] }

/** Fewer are asked about one by one. */
const crowdFrom = 4
/** A list that has not shown them all within a page for so many of them is left: large groups cost more pages than people. */
const peopleOfAPage = 4
/** And is not begun again for so long. */
const longForMs = 600_000

/** People who are let into one group and nothing else, by group, where they are many. */
export const crowdsOf = (
  people: readonly Changes[],
): { readonly crowds: readonly Crowd[]; readonly others: readonly Changes[] } => {
  const groupOf = ({ changes: [first, ...more] }: Changes): string | null =>
    first?.op === 'grant' && more.length === 0 ? first.groupId : null
  const byGroup = Map.groupBy(people, groupOf)
  const crowds = [...byGroup].flatMap(([groupId, some]) =>
    groupId !== null && some.length >= crowdFrom ? [{ groupId, people: some }] : [],
  )
  const inCrowds = new Set(crowds.flatMap((crowd) => crowd.people))
  return { crowds, others: people.filter((one) => !inCrowds.has(one)) }
}

/** All are let in, then pages of the group's members show them, a hundred at once. Whom no page shows is asked about by itself. */
export const letIn = async (
  aws: Aws,
  { groupId, people }: Crowd,
  gate: Gate,
): Promise<ReadonlyMap<number, Outcome>> => {
  const written = await sideBySide(people, ({ account, changes }) => writeMemberships(aws, account, changes, gate))
  const toShow = written.flatMap(({ account, toProve }) => (toProve.length > 0 ? [account] : []))
  const shown = await membersAmong(aws, groupId, toShow)
  const proved = await sideBySide(written, (one) =>
    proveMemberships(aws, one, new Set(shown.has(one.account) ? [groupId] : [])),
  )
  return new Map(proved.flatMap((outcomes) => [...outcomes]))
}

/** Those whom a page shows. Nobody where the list fails: that says nothing of anybody. */
const membersAmong = async (aws: Aws, groupId: string, accounts: readonly NativeId[]): Promise<ReadonlySet<string>> => {
  const now = aws.tools.now()
  const pagesAtMost = Math.floor(accounts.length / peopleOfAPage)
  if (pagesAtMost === 0 || (aws.longLists.get(groupId) ?? 0) > now) return new Set()
  const areShown = (items: readonly string[]) => {
    const members = new Set(items)
    return accounts.every((account) => members.has(account))
  }
  const read = await readPages(
    (token) => groupPage(aws, groupId, token),
    (items, pages) => pages < pagesAtMost && !areShown(items),
  )
  if (!read.ok) return new Set()
  if (!read.value.complete && !areShown(read.value.items)) {
    for (const [other, until] of aws.longLists) if (until <= now) aws.longLists.delete(other)
    aws.longLists.set(groupId, now + longForMs)
  }
  return new Set(read.value.items)
}
