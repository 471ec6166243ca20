import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { CheckReport } from '../connector.ts'
import { claimsOf } from './claims.ts'
import type { EntraSettings } from './config.ts'
import type { Directory } from './directory.ts'
import { failureText } from './errors.ts'
import { anyGroup, anyUser } from './paths.ts'
import { tokenTrouble } from './token-trouble.ts'
import type { Tokens } from './tokens.ts'

/** Further apart than this, tokens and Retry-After dates are read wrongly. */
const maxSkewMs = 60_000
/** So long before a certificate ends somebody should know. */
const soonMs = 14 * 24 * 3_600_000

/** Reads what can be known without a change. Whether the app may write shows only when it does. */
export const check = async (
  { client, settings }: Directory,
  tokens: Tokens,
  signal: AbortSignal,
): Promise<CheckReport> => {
  const problems: string[] = [...(await certificateProblems(settings, client.now()))]
  const token = await tokens.token()
  if (!token.ok) {
    const { kind } = settings.credential
    return {
      ok: false,
      problems: [
        ...problems,
        `no token as ${settings.clientId} by its ${kind} credential: ${failureText(token.failure)}`,
        // Entra's own codes say what is wrong.
        ...(token.failure.code.startsWith('AADSTS') ? [] : await tokenTrouble(settings, signal)),
      ],
    }
  }
  const claims = claimsOf(token.value)
  const facts = [`app ${settings.clientId} in tenant ${settings.tenant}, by its ${settings.credential.kind} credential`]
  if (claims !== null) {
    facts.push(`granted: ${claims.roles.length === 0 ? 'nothing' : [...claims.roles].sort().join(', ')}`)
    if (claims.appId !== null && claims.appId.toLowerCase() !== settings.clientId.toLowerCase())
      problems.push(`the token is for ${claims.appId}, not for ${settings.clientId}`)
    if (claims.tenant !== null && claims.tenant.toLowerCase() !== settings.tenant.toLowerCase())
      problems.push(`the token is of tenant ${claims.tenant}, not of ${settings.tenant}`)
    problems.push(...missingRoles(settings, claims.roles))
  }
  for (const [what, resource] of [
    ['users', anyUser],
    ['groups', anyGroup],
  ] as const) {
    const read = await client.read(resource, { signal })
    if (!read.ok) problems.push(`${what} cannot be read: ${failureText(read.failure)}`)
    else if (what === 'users') problems.push(...skewProblems(read.value.header('date'), client.now()))
  }
  return { ok: problems.length === 0, problems, facts }
}

/** Permission → those that include it (Graph permissions reference). */
const includedIn: Readonly<Record<string, readonly string[]>> = {
  'User.Read.All': ['User.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'],
  'User.ReadWrite.All': ['Directory.ReadWrite.All'],
  'User.EnableDisableAccount.All': ['User.ReadWrite.All', 'Directory.ReadWrite.All'],
  'User.DeleteRestore.All': ['User.ReadWrite.All', 'Directory.ReadWrite.All'],
  'User.RevokeSessions.All': ['User.ReadWrite.All', 'Directory.ReadWrite.All'],
  'GroupMember.Read.All': [
    'GroupMember.ReadWrite.All',
    'Group.Read.All',
    'Group.ReadWrite.All',
    'Directory.Read.All',
    'Directory.ReadWrite.All',
  ],
  'GroupMember.ReadWrite.All': ['Group.ReadWrite.All', 'Directory.ReadWrite.All'],
}

const needed = (settings: EntraSettings): readonly string[] => [
  'User.Read.All',
  'GroupMember.Read.All',
  'User.ReadWrite.All',
  'User.EnableDisableAccount.All',
  'User.RevokeSessions.All',
  'User.DeleteRestore.All',
  'GroupMember.ReadWrite.All',
  ...(settings.roleAssignableGroups ? ['RoleManagement.ReadWrite.Directory'] : []),
  ...('employeeLeaveDateTime' in settings.account.attributes ? ['User-LifeCycleInfo.ReadWrite.All'] : []),
]

const missingRoles = (settings: EntraSettings, roles: readonly string[]): readonly string[] => {
  const held = new Set(roles)
  const missing = needed(settings).filter(
    (name) => !held.has(name) && !(includedIn[name] ?? []).some((larger) => held.has(larger)),
  )
  return missing.map((name) => `permission ${name} is not granted to the app (or has no admin consent)`)
}

const skewProblems = (date: string | null, now: number): readonly string[] => {
  const skew = Math.abs(Date.parse(date ?? '') - now)
  return skew > maxSkewMs ? [`this clock is ${Math.round(skew / 1_000)} s away from Graph's`] : []
}

/** What can be known of a credential's end: a certificate says it, a secret does not. */
const certificateProblems = async ({ credential }: EntraSettings, now: number): Promise<readonly string[]> => {
  if (credential.kind !== 'certificate') return []
  try {
    const ends = new X509Certificate(await readFile(credential.certificateFile)).validToDate.getTime()
    if (ends <= now) return [`the certificate ended on ${day(ends)}`]
    return ends - now < soonMs ? [`the certificate ends on ${day(ends)}`] : []
  } catch {
    return [`credential.certificateFile: ${credential.certificateFile} gives no certificate`]
  }
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
