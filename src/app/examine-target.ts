import type { Config } from '../config.ts'
import type { Connector, Uses } from '../connectors/connector.ts'
import type { NativeId } from '../domain/ids.ts'
import type { Answer } from './answer.ts'

type Sessions = { readonly sessions: 'none' | 'deny-inline-policy' }
type Target = Pick<Config['targets'][number], 'type' | 'protect' | 'mode'> & {
  readonly accounts: 'create' | 'expect'
  readonly leaver: { readonly deleteAfter: number | null }
  readonly aws?: Sessions
  readonly iam?: Sessions
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
      ...sessionsLeft(target),
    ],
  }
}

const usesOf = ({ accounts, leaver, mode }: Target): Uses => ({
  createAccounts: accounts === 'create',
  deleteAccounts: leaver.deleteAfter !== null,
  writes: mode === 'enforce',
})

/** Chosen, and worth knowing: it is the default, since the name that a Deny goes by must first be known to be the person's. */
const sessionsLeft = ({ type, aws, iam }: Target): readonly string[] =>
  (aws ?? iam)?.sessions === 'none'
    ? [
        `sessions: none: live role sessions of a leaver run out by themselves, up to 12 hours later; deny-inline-policy ends them (docs/connectors/${type}.md)`,
      ]
    : []

const remedies: Readonly<Record<Target['type'], string>> = {
  ldap: 'let ldap.bindDn read its own entry',
  ad: 'set ad.bindName to the DN, the UPN or DOMAIN\\name of the service account',
  entra: '',
  aws: '',
  'aws-iam': 'sts:GetCallerIdentity must answer',
}

/** Until it is told, the door lets nothing pass (connectors/protecting): all work waits, and the rest looks healthy. */
const ownUntold = async (connector: Connector, { type }: Target, signal: AbortSignal) => {
  const read = await connector.own?.(signal)
  if (read === undefined || read.kind === 'complete') return null
  const { cause } = read
  return { cause, problem: `as whom Muster is signed in is not told (${cause}): nothing is written; ${remedies[type]}` }
}

/** A break-glass account of a mistyped id is protected no more than one that nobody named. */
const protectedButGone = async (
  connector: Connector,
  { type, protect }: Target,
  deadline: AbortSignal,
): Promise<readonly string[]> => {
  // Of IAM roles an account is a name that may come to be used.
  if (type === 'aws-iam' || protect.accounts.length === 0) return []
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
