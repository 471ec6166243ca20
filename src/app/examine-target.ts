import type { Config } from '../config.ts'
import type { Connector, Uses } from '../connectors/connector.ts'
import { settingsOf, typeOf } from '../connectors/registry.ts'
import type { NativeId } from '../domain/ids.ts'
import type { Answer } from './answer.ts'

type Target = Pick<Config['targets'][number], 'type' | 'protect' | 'mode'> & {
  readonly accounts: 'create' | 'expect'
  readonly leaver: { readonly deleteAfter: number | null }
}

/** Looks at a target by its connector, which has `patienceMs` for all of it. */
export const examinedTarget = async (connector: Connector, target: Target, patienceMs: number): Promise<Answer> => {
  const deadline = AbortSignal.timeout(patienceMs)
  const soon = AbortSignal.timeout(patienceMs / 2)
  const [{ problems, facts = [], unknown = [], beforeEnforce = [] }, untold] = await Promise.all([
    connector.check(deadline, usesOf(target)),
    ownUntold(connector, target, soon),
  ])
  // What keeps Muster from everything keeps it from this, too.
  const isOwnTrouble = untold !== null && !problems.some((problem) => problem.includes(untold.cause))
  const wrong = [
    ...problems,
    ...(isOwnTrouble ? [untold.problem] : []),
    ...(problems.length > 0 ? [] : await protectedButGone(connector, target, deadline)),
  ]
  const known = [...(wrong.length === 0 ? [`${target.type}, reachable`] : []), ...facts].join('; ')
  return {
    problems: wrong,
    facts: [
      ...(known === '' ? [] : [known]),
      ...(unknown.length === 0 ? [] : [`not known: ${unknown.join('; ')}`]),
      ...(beforeEnforce.length === 0 ? [] : [`needed before enforce: ${beforeEnforce.join('; ')}`]),
      ...typeOf(target).remarks(settingsOf(target)),
    ],
  }
}

const usesOf = ({ accounts, leaver, mode }: Target): Uses => ({
  createAccounts: accounts === 'create',
  deleteAccounts: leaver.deleteAfter !== null,
  writes: mode === 'enforce',
})

/** Until it is told, the door lets nothing pass (connectors/protecting): all work waits, and the rest looks healthy. */
const ownUntold = async (connector: Connector, target: Target, signal: AbortSignal) => {
  const read = await connector.own?.(signal)
  if (read === undefined || read.kind === 'complete') return null
  const { cause } = read
  const remedy = typeOf(target).ownRemedy ?? ''
  return { cause, problem: `as whom Muster is signed in is not told (${cause}): nothing is written; ${remedy}` }
}

/** A break-glass account of a mistyped id is protected no more than one that nobody named. */
const protectedButGone = async (
  connector: Connector,
  target: Target,
  deadline: AbortSignal,
): Promise<readonly string[]> => {
  const { protect } = target
  if (typeOf(target).accountIds.beforehand || protect.accounts.length === 0) return []
  const read = await connector.accounts(
    protect.accounts.map((id) => id.toLowerCase() as NativeId),
    deadline,
  )
  if (read.kind === 'partial') return [`protect.accounts cannot be read: ${read.cause}`]
  const there = new Set(read.items.map(({ nativeId }) => nativeId.toLowerCase()))
  return protect.accounts
    .filter((id) => !there.has(id.toLowerCase()))
    .map((id) => `protect.accounts: no account is ${id}, so nobody is protected by it`)
}
