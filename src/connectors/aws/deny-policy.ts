/**
 * The inline policy of a permission set, with Deny statements of ours for users whose sessions must end. A role session
 * carries the user's id (`identitystore:userId`) and the time it began (`aws:TokenIssueTime`): whoever signs in later is
 * not denied (user guide, «Revoke active IAM role sessions»).
 */
import { canonical } from '../aws-wire/canonical.ts'
import { type Statement, splitPolicy } from '../aws-wire/policy-text.ts'

/** Statements of ours; a Sid is letters and digits. */
const sidPrefix = 'MusterEndSessions'
/** Service model: PermissionSetPolicyDocument. */
export const policyLimit = 32_768
/** A session lasts 12 hours at most: a statement for older ones denies nobody any more. */
const longestSessionMs = 12 * 3_600_000
/**
 * Sessions are dated by AWS's clock, endings by ours. A Deny reaches so far beyond our time that it has every session begun
 * by then, unless our clock is further behind: five minutes are what AWS itself allows the clock of who signs a request.
 */
export const skewMs = 300_000
/** A statement reaches this much further than it must: asked again so soon, it need not be written again. */
const spareMs = 60_000

/** `at`: our time, ms since 1970. Every session of this user that had begun by then is to end. */
export type Ending = { readonly userId: string; readonly at: number }

export type Merged =
  | { readonly kind: 'unreadable' }
  | {
      readonly kind: 'merged'
      /** The whole document, statements of others the same bytes as before; null: nobody is added to it. */
      readonly policy: string | null
      readonly added: readonly Ending[]
      readonly wasSo: readonly Ending[]
      /** Who does not fit, and the size that the policy would have with them. */
      readonly tooLarge: ReadonlyMap<Ending, number>
    }

/** Leavers are added one after the other for as long as there is room: whoever does not fit keeps nobody else out. */
export const mergeDenies = (document: string, endings: readonly Ending[], now: number): Merged => {
  const parts = splitPolicy(document)
  if (parts === null) return { kind: 'unreadable' }
  const isDenied = deniesIn(parts.statements)
  let statements = parts.statements.filter(
    ({ sid, text }) => !sid.startsWith(sidPrefix) || now - issuedBefore(text) < longestSessionMs,
  )
  const added: Ending[] = []
  const wasSo: Ending[] = []
  const tooLarge = new Map<Ending, number>()
  const around = parts.before.length + parts.after.length + '[]'.length
  for (const ending of endings) {
    if (isDenied(ending)) {
      wasSo.push(ending)
      continue
    }
    const ours = { sid: sidOf(ending.userId), text: statement(ending.userId, ending.at) }
    const more = [...statements.filter(({ sid }) => sid !== ours.sid), ours]
    const size = more.reduce((sum, { text }) => sum + text.length + ','.length, around - ','.length)
    if (size > policyLimit) tooLarge.set(ending, size)
    else {
      added.push(ending)
      statements = more
    }
  }
  const text = `${parts.before}[${statements.map((one) => one.text).join(',')}]${parts.after}`
  return { kind: 'merged', policy: added.length === 0 ? null : text, added, wasSo, tooLarge }
}

/**
 * Whether the policy denies every session that this user had at `at`, by whichever clock. An older Deny says nothing of it, nor
 * does a statement by our name that somebody changed: whatever else it says, it is not what we wrote.
 */
export const denies = (document: string, ending: Ending): boolean => deniesAll(document, [ending])

/** The same, of each of them. */
export const deniesAll = (document: string, endings: readonly Ending[]): boolean =>
  endings.every(deniesIn(splitPolicy(document)?.statements ?? []))

const deniesIn = (statements: readonly Statement[]): ((ending: Ending) => boolean) => {
  const bySid = Map.groupBy(statements, ({ sid }) => sid)
  return ({ userId, at }) =>
    (bySid.get(sidOf(userId)) ?? []).some(({ text }) => isAsWritten(text, userId) && issuedBefore(text) >= at + skewMs)
}

/** Statements that are not ours, as they stand there: for comparing what was written with what is read. */
export const others = (document: string): readonly string[] | null =>
  splitPolicy(document)
    ?.statements.filter(({ sid }) => !sid.startsWith(sidPrefix))
    .map(({ text }) => text) ?? null

const sidOf = (userId: string): string => `${sidPrefix}${userId.replace(/[^A-Za-z0-9]/g, '')}`

const statement = (userId: string, at: number): string => statementUntil(userId, wholeSecond(at + skewMs + spareMs))

/** Never earlier. AWS takes fractions, not every evaluator of its policies does: a Deny with a time that it cannot read denies nobody. */
const wholeSecond = (at: number): string => new Date(Math.ceil(at / 1_000) * 1_000).toISOString().replace('.000Z', 'Z')

const statementUntil = (userId: string, until: string): string =>
  JSON.stringify({
    Sid: sidOf(userId),
    Effect: 'Deny',
    Action: ['*'],
    Resource: ['*'],
    Condition: {
      StringEquals: { 'identitystore:userId': userId },
      DateLessThan: { 'aws:TokenIssueTime': until },
    },
  })

/** Whatever the time says. AWS may write a document anew. */
const isAsWritten = (text: string, userId: string): boolean => {
  const until = untilIn(text)
  return until !== null && canonical(JSON.parse(text)) === canonical(JSON.parse(statementUntil(userId, until)))
}

const issuedBefore = (text: string): number => {
  const until = untilIn(text)
  return until === null ? 0 : Date.parse(until)
}

const untilIn = (text: string): string | null => /"aws:TokenIssueTime"\s*:\s*\[?\s*"([^"]+)"/.exec(text)?.[1] ?? null
