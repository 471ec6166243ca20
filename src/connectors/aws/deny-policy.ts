/**
 * The inline policy of a permission set, with Deny statements of ours for users whose sessions must end. A role session
 * carries the user's id (`identitystore:userId`) and the time it began (`aws:TokenIssueTime`): whoever signs in later is
 * not denied (user guide, «Revoke active IAM role sessions»).
 */

/** Statements of ours; a Sid is letters and digits. */
const sidPrefix = 'MusterEndSessions'
/** Service model: PermissionSetPolicyDocument. */
export const policyLimit = 32_768
/** A session lasts 12 hours at most: a statement for older ones denies nobody any more. */
const longestSessionMs = 12 * 3_600_000
/** One that is no older need not be written again. */
const freshMs = 300_000

export type Ending = { readonly userId: string; readonly at: number }

export type Merged =
  /** `policy` is the whole document. Statements of others are the same bytes as before. */
  | { readonly kind: 'merged'; readonly policy: string; readonly size: number }
  | { readonly kind: 'as-it-was' }
  | { readonly kind: 'too-large'; readonly size: number }
  | { readonly kind: 'unreadable' }

export const mergeDeny = (document: string, { userId, at }: Ending, now: number): Merged => {
  const parts = split(document)
  if (parts === null) return { kind: 'unreadable' }
  const ours = parts.statements.filter(({ sid }) => sid.startsWith(sidPrefix))
  const existing = ours.find((one) => sidOf(userId) === one.sid)
  if (existing !== undefined && at - issuedBefore(existing.text) < freshMs) return { kind: 'as-it-was' }
  const kept = parts.statements.filter(
    ({ sid, text }) =>
      !sid.startsWith(sidPrefix) || (sid !== sidOf(userId) && now - issuedBefore(text) < longestSessionMs),
  )
  const policy = `${parts.before}[${[...kept.map(({ text }) => text), statement(userId, at)].join(',')}]${parts.after}`
  const size = policy.length
  return size > policyLimit ? { kind: 'too-large', size } : { kind: 'merged', policy, size }
}

/** Whether the policy denies the sessions that this user had at `at`. */
export const denies = (document: string, { userId, at }: Ending): boolean =>
  split(document)?.statements.some(({ sid, text }) => sid === sidOf(userId) && issuedBefore(text) >= at) ?? false

/** Statements that are not ours, as they stand there: for comparing what was written with what is read. */
export const others = (document: string): readonly string[] | null =>
  split(document)
    ?.statements.filter(({ sid }) => !sid.startsWith(sidPrefix))
    .map(({ text }) => text) ?? null

const sidOf = (userId: string): string => `${sidPrefix}${userId.replace(/[^A-Za-z0-9]/g, '')}`

const statement = (userId: string, at: number): string =>
  JSON.stringify({
    Sid: sidOf(userId),
    Effect: 'Deny',
    Action: ['*'],
    Resource: ['*'],
    Condition: {
      StringEquals: { 'identitystore:userId': userId },
      DateLessThan: { 'aws:TokenIssueTime': new Date(at).toISOString() },
    },
  })

const issuedBefore = (text: string): number => {
  const found = /"aws:TokenIssueTime"\s*:\s*"([^"]+)"/.exec(text)
  return found?.[1] === undefined ? 0 : Date.parse(found[1])
}

type Statement = { readonly text: string; readonly sid: string }
type Parts = { readonly before: string; readonly statements: readonly Statement[]; readonly after: string }

const empty: Parts = { before: '{"Version":"2012-10-17","Statement":', statements: [], after: '}' }

/** The text around the statements and each statement's own text. null: not a policy as we know them; it is left alone. */
const split = (document: string): Parts | null => {
  if (document.trim() === '') return empty
  try {
    JSON.parse(document)
  } catch {
    return null
  }
  const members = elements(document, document.indexOf('{'))
  const found = members?.find(({ name }) => name === 'Statement')
  if (members === null || found === undefined) return null
  const isList = document[found.from] === '['
  const inner = isList ? elements(document, found.from) : [found]
  if (inner === null) return null
  return {
    before: document.slice(0, found.from),
    statements: inner.map(({ from, to }) => {
      const text = document.slice(from, to)
      return { text, sid: sidIn(text) }
    }),
    after: document.slice(found.to),
  }
}

const sidIn = (statementText: string): string => {
  const parsed: unknown = JSON.parse(statementText)
  const sid = typeof parsed === 'object' && parsed !== null && 'Sid' in parsed ? parsed.Sid : ''
  return typeof sid === 'string' ? sid : ''
}

type Element = { readonly name: string; readonly from: number; readonly to: number }

/** Where the values of the object or array that opens at `open` stand in the text, which is valid JSON. */
const elements = (json: string, open: number): readonly Element[] | null => {
  if (open < 0) return null
  const found: Element[] = []
  let depth = 0
  let from = -1
  let name = ''
  const close = (to: number) => {
    const trimmed = json.slice(from, to).trimEnd().length
    if (from >= 0 && trimmed > 0) found.push({ name, from, to: from + trimmed })
    from = -1
    name = ''
  }
  for (let at = open; at < json.length; at += 1) {
    const sign = json[at] ?? ''
    if (sign === '"') {
      const end = endOfString(json, at)
      if (depth === 1 && from < 0) from = at
      at = end
      continue
    }
    if (sign === '{' || sign === '[') {
      if (depth === 1 && from < 0) from = at
      depth += 1
    } else if (sign === '}' || sign === ']') {
      depth -= 1
      if (depth === 0) {
        close(at)
        return found
      }
    } else if (depth === 1 && sign === ',') close(at)
    else if (depth === 1 && sign === ':') {
      name = String(JSON.parse(json.slice(from, at).trim()))
      from = -1
    } else if (depth === 1 && from < 0 && sign.trim() !== '') from = at
  }
  return null
}

const endOfString = (json: string, at: number): number => {
  let end = at + 1
  while (json[end] !== '"') end += json[end] === '\\' ? 2 : 1
  return end
}
