import { emptyPolicy, splitPolicy } from '../aws-wire/policy-text.ts'
import { sizeOf } from './document.ts'

/**
 * The inline policy that ends live sessions: a Deny on the sessions of these people in this role that began before a time.
 * A session's `aws:userid` is `<role id>:<session name>` (user guide, «Revoke IAM role temporary security credentials», and
 * the table of principal keys). Never on the time alone: that would end everybody's.
 */

/** All inline policies of a role together (user guide, IAM and AWS STS quotas). */
export const inlinePolicyLimit = 10_240
/**
 * No role session lasts longer. The role's own MaxSessionDuration may have been longer when a session began, so it does not
 * say when its statement may go.
 */
export const longestSessionMs = 12 * 3_600_000

/** Session names whose sessions that began before `until` (ms) are denied. */
export type Denials = ReadonlyMap<string, number>

export type SessionPolicy = {
  readonly denials: Denials
  /** Statements of others in our policy, byte for byte. */
  readonly others: readonly string[]
}

const sidOf = (prefix: string): string => `${prefix}End`
export const policyNameOf = (prefix: string): string => `${prefix}Sessions`

/** null: not a policy as we know them; it is left alone. */
export const readSessionPolicy = (prefix: string, roleId: string, document: string): SessionPolicy | null => {
  const parts = document.trim() === '' ? emptyPolicy : splitPolicy(document)
  if (parts === null) return null
  const denials = new Map<string, number>()
  const others: string[] = []
  for (const { sid, text } of parts.statements) {
    const denied = sid.startsWith(sidOf(prefix)) ? deniedBy(roleId, text) : null
    if (denied === null) others.push(text)
    else for (const name of denied.names) denials.set(name, Math.max(denied.until, denials.get(name) ?? 0))
  }
  return { denials, others }
}

/** The policy without denials that have outlived every session, and with these. '' : nothing is left to say. */
export const writeSessionPolicy = (
  prefix: string,
  roleId: string,
  { denials, others }: SessionPolicy,
  added: Denials,
  now: number,
): { readonly document: string; readonly denials: Denials; readonly size: number } => {
  const all = new Map<string, number>()
  for (const [name, until] of [...denials, ...added])
    if (now - until < longestSessionMs) all.set(name, Math.max(until, all.get(name) ?? 0))
  const byTime = Map.groupBy([...all].sort(), ([, until]) => until)
  const ours = [...byTime]
    .sort(([one], [other]) => one - other)
    .map(([until, people]) =>
      JSON.stringify({
        Sid: `${sidOf(prefix)}${Math.floor(until / 1_000)}`,
        Effect: 'Deny',
        Action: '*',
        Resource: '*',
        Condition: {
          StringEquals: { 'aws:userid': people.map(([name]) => `${roleId}:${name}`) },
          DateLessThan: { 'aws:TokenIssueTime': iso(until) },
        },
      }),
    )
  const statements = [...others, ...ours]
  const document = statements.length === 0 ? '' : `${emptyPolicy.before}[${statements.join(',')}]${emptyPolicy.after}`
  return { document, denials: all, size: sizeOf(document) }
}

/** Up to the next full second: policies know no smaller time, and one second holds a whole batch. */
export const fullSecond = (at: number): number => Math.ceil(at / 1_000) * 1_000

const iso = (at: number): string => new Date(at).toISOString().replace('.000Z', 'Z')

const deniedBy = (
  roleId: string,
  text: string,
): { readonly names: readonly string[]; readonly until: number } | null => {
  const statement = record(JSON.parse(text))
  const { StringEquals, DateLessThan, ...more } = record(statement.Condition)
  const userIds = record(StringEquals)['aws:userid']
  const until = Date.parse(String(record(DateLessThan)['aws:TokenIssueTime']))
  const names = (Array.isArray(userIds) ? userIds : [userIds]).filter((one): one is string => typeof one === 'string')
  const isOurs =
    statement.Effect === 'Deny' &&
    statement.Action === '*' &&
    statement.Resource === '*' &&
    Object.keys(more).length === 0 &&
    names.length > 0 &&
    names.every((name) => name.startsWith(`${roleId}:`)) &&
    Number.isFinite(until)
  return isOurs ? { names: names.map((name) => name.slice(roleId.length + 1)), until } : null
}

type Json = Readonly<Record<string, unknown>>
const record = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
