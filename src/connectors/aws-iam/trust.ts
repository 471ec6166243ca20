import { canonical } from '../aws-wire/canonical.ts'
import { emptyPolicy, type Parts, type Statement, splitPolicy } from '../aws-wire/policy-text.ts'
import { type AwsIamSettings, type Federation, sessionNamePattern } from './config.ts'
import { sizeOf } from './document.ts'

/** What decides our statements' bytes. */
export type TrustRules = Pick<AwsIamSettings, 'federation' | 'sidPrefix'>

/**
 * A name that no session can have (STS wants two characters): where our statement is the only one of the policy, it stays
 * and lets nobody in, since IAM takes no policy without statements.
 */
export const nobody = '-'

/** A trust policy as Muster sees it. */
export type Trust = {
  readonly parts: Parts
  /** Session names that statements of ours let in. */
  readonly people: ReadonlySet<string>
  /** What else stands in statements of ours: `principal:AROA…` (a deleted one, or somebody's addition), `statement:<Sid>`. */
  readonly strangers: readonly string[]
  /** Statements of ours are what Muster would write for these people. */
  readonly isAsWritten: boolean
}

const peopleSid = ({ sidPrefix }: TrustRules): string => `${sidPrefix}People`
const tagsSid = ({ sidPrefix }: TrustRules): string => `${sidPrefix}Tags`
const isOurs = (rules: TrustRules, sid: string): boolean => sid === peopleSid(rules) || sid === tagsSid(rules)

/** null: not a policy as we know them; it is left alone. */
export const readTrust = (rules: TrustRules, document: string): Trust | null => {
  const parts = document.trim() === '' ? emptyPolicy : splitPolicy(document)
  if (parts === null) return null
  const ours = parts.statements.filter(({ sid }) => isOurs(rules, sid))
  const people = new Set<string>()
  const strangers: string[] = []
  for (const { sid, text } of ours) {
    const statement = record(JSON.parse(text))
    if (sid === peopleSid(rules)) for (const name of namesIn(rules, statement)) people.add(name)
    for (const [kind, value] of Object.entries(record(statement.Principal)))
      for (const principal of list(value))
        if (kind !== 'Federated' || principal !== rules.federation.providerArn) strangers.push(`principal:${principal}`)
    if (typeof statement.Principal === 'string') strangers.push(`principal:${statement.Principal}`)
  }
  people.delete(nobody)
  const wanted = ourStatements(rules, people, ours.length > 0 && people.size === 0)
  const isAsWritten =
    canonical(wanted.map((one) => JSON.parse(one))) === canonical(ours.map(({ text }) => JSON.parse(text)))
  if (!isAsWritten && strangers.length === 0)
    strangers.push(...new Set(ours.map(({ sid }) => `statement:${sid}`)), ...(ours.length === 0 ? ['statement:'] : []))
  return { parts, people, strangers, isAsWritten }
}

/** The document with exactly these people in it. Statements of others are the same bytes as before. */
export const writeTrust = (rules: TrustRules, { parts }: Trust, people: ReadonlySet<string>): string => {
  const others = parts.statements.filter(({ sid }) => !isOurs(rules, sid))
  const ours = ourStatements(rules, people, people.size === 0 && others.length === 0)
  return `${parts.before}[${[...others.map(({ text }) => text), ...ours].join(',')}]${parts.after}`
}

/** Statements that are not ours, in a form to compare: IAM may write a document anew. */
export const othersIn = (rules: TrustRules, { parts }: Trust): string =>
  canonical(parts.statements.filter(({ sid }) => !isOurs(rules, sid)).map(({ text }: Statement) => JSON.parse(text)))

export const trustSize = sizeOf

/** Sorted: the same people make the same bytes. */
const ourStatements = (rules: TrustRules, people: ReadonlySet<string>, keepEmpty: boolean): readonly string[] => {
  if (people.size === 0 && !keepEmpty) return []
  const { federation } = rules
  const Principal = { Federated: federation.providerArn }
  const entry = {
    Sid: peopleSid(rules),
    Effect: 'Allow',
    Principal,
    Action: federation.kind === 'saml' ? 'sts:AssumeRoleWithSAML' : 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: conditionsOf(federation, people.size === 0 ? [nobody] : [...people].sort()) },
  }
  // Apart: nothing says that sts:RoleSessionName is known when a tag is judged. Alone it lets nobody in.
  const tags = {
    Sid: tagsSid(rules),
    Effect: 'Allow',
    Principal,
    Action: 'sts:TagSession',
    Condition: { StringEquals: { [audienceKey(federation)]: federation.audience } },
  }
  return (federation.tagSession && people.size > 0 ? [entry, tags] : [entry]).map((one) => JSON.stringify(one))
}

/**
 * SAML: the assertion, signed by the provider, names the session. OIDC: whoever calls AssumeRoleWithWebIdentity chooses the
 * session's name, so the token's subject is what lets in, and the session must be named by it.
 */
const conditionsOf = (federation: Federation, names: readonly string[]): Readonly<Record<string, unknown>> => {
  const aud = { [audienceKey(federation)]: federation.audience }
  if (federation.kind === 'saml') return { ...aud, 'sts:RoleSessionName': names }
  const sub = `${issuerOf(federation)}:sub`
  return { ...aud, [sub]: names, 'sts:RoleSessionName': `\${${sub}}` }
}

const namesKey = (federation: Federation): string =>
  federation.kind === 'saml' ? 'sts:RoleSessionName' : `${issuerOf(federation)}:sub`
const audienceKey = (federation: Federation): string =>
  federation.kind === 'saml' ? 'SAML:aud' : `${issuerOf(federation)}:aud`
const issuerOf = ({ providerArn }: Federation): string => providerArn.slice(providerArn.indexOf('/') + 1)

/** Under whichever operator they stand: one that somebody loosened lets them in all the same. */
const namesIn = ({ federation }: TrustRules, statement: Json): readonly string[] => {
  const key = namesKey(federation).toLowerCase()
  return Object.values(record(statement.Condition)).flatMap((tests) =>
    Object.entries(record(tests)).flatMap(([name, value]) =>
      name.toLowerCase() === key ? list(value).filter((one) => one === nobody || sessionNamePattern.test(one)) : [],
    ),
  )
}

type Json = Readonly<Record<string, unknown>>
const record = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
const list = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === 'string')
