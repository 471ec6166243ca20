import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { allUses, type CheckReport, type Uses } from '../connector.ts'
import { missedByChanges } from '../missed-by-changes.ts'
import { claimsOf } from './claims.ts'
import type { EntraSettings } from './config.ts'
import type { Directory } from './directory.ts'
import { failureText } from './errors.ts'
import { permissions } from './manifest.ts'
import { anyGroup, anyUser } from './paths.ts'
import { credentialProblem, tokenTrouble } from './token-trouble.ts'
import type { Tokens } from './tokens.ts'

/** Further apart than this, tokens and Retry-After dates are read wrongly. */
const maxSkewMs = 60_000
/** So long before a certificate ends somebody should know. */
const soonMs = 14 * 24 * 3_600_000

/** Reads what can be known without a change: the token tells which permissions the app has been granted. */
export const check = async (
  { client, settings }: Directory,
  tokens: Tokens,
  signal: AbortSignal,
  uses: Uses = allUses,
): Promise<CheckReport> => {
  // A file that is not there is one problem, whoever stumbles over it.
  const unreadable = await credentialProblem(settings)
  if (unreadable !== null) return { ok: false, problems: [unreadable] }
  const credential = await checkCredential(settings, client.now())
  const problems: string[] = [...credential.problems]
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
  const beforeEnforce: string[] = []
  const claims = claimsOf(token.value)
  const facts = [
    `app ${settings.clientId} in tenant ${settings.tenant}, by its ${settings.credential.kind} credential`,
    ...(credential.facts ?? []),
  ]
  const unknown = [...(credential.unknown ?? [])]
  if (claims === null) unknown.push('which permissions are granted (the token cannot be read)')
  else {
    facts.push(`granted: ${claims.roles.length === 0 ? 'nothing' : [...claims.roles].sort().join(', ')}`)
    if (claims.appId !== null && claims.appId.toLowerCase() !== settings.clientId.toLowerCase())
      problems.push(`the token is for ${claims.appId}, not for ${settings.clientId}`)
    if (claims.tenant !== null && claims.tenant.toLowerCase() !== settings.tenant.toLowerCase())
      problems.push(`the token is of tenant ${claims.tenant}, not of ${settings.tenant}`)
    const { toRead, toWrite } = missingRoles(settings, uses, claims.roles)
    const missed = missedByChanges(uses, toWrite)
    problems.push(...toRead, ...missed.problems)
    beforeEnforce.push(...(missed.beforeEnforce ?? []))
    if (!settings.hiddenMembershipGroups && !claims.roles.includes('Member.Read.Hidden'))
      unknown.push('who is in groups with hidden membership (Member.Read.Hidden)')
  }
  for (const [what, resource] of [
    ['users', anyUser],
    ['groups', anyGroup],
  ] as const) {
    const read = await client.read(resource, { signal })
    if (!read.ok) problems.push(`${what} cannot be read: ${failureText(read.failure)}`)
    else if (what === 'users') {
      const clock = checkClock(read.value.header('date'), client.now())
      problems.push(...clock.problems)
      facts.push(...(clock.facts ?? []))
      unknown.push(...(clock.unknown ?? []))
    }
  }
  return { ok: problems.length === 0, problems, facts, unknown, beforeEnforce }
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

const rowOfReads = 'find accounts and groups, read back, reconcile'
const rowOfHidden = 'groups with hidden membership (hiddenMembershipGroups)'

/** Rows of the permission table that this configuration makes use of. */
const needed = (
  { account, alternatives, roleAssignableGroups, hiddenMembershipGroups }: EntraSettings,
  uses: Uses,
): ReadonlySet<string> => {
  // Whoever is found by an alternative gets the person key written.
  const writesAttributes = uses.createAccounts || alternatives.length > 0 || Object.keys(account.attributes).length > 0
  const isUsed: Readonly<Record<keyof typeof permissions, boolean>> = {
    [rowOfReads]: true,
    'create accounts, keep attributes right': writesAttributes,
    'delete accounts': uses.deleteAccounts,
    'open and shut accounts': true,
    'end sessions': true,
    'let in and take out': true,
    'let into role-assignable groups (roleAssignableGroups)': roleAssignableGroups,
    [rowOfHidden]: hiddenMembershipGroups,
    'set employeeLeaveDateTime (if mapped)': 'employeeLeaveDateTime' in account.attributes,
  }
  const used = Object.entries(permissions).filter(([what]) => isUsed[what as keyof typeof permissions])
  return new Set(used.flatMap(([, names]) => names))
}

const missingRoles = (settings: EntraSettings, uses: Uses, roles: readonly string[]) => {
  const held = new Set(roles)
  const missing = [...needed(settings, uses)].filter(
    (name) => !held.has(name) && !(includedIn[name] ?? []).some((larger) => held.has(larger)),
  )
  const reads: readonly string[] = [...permissions[rowOfReads], ...permissions[rowOfHidden]]
  const told = (some: readonly string[]) =>
    some.map((name) => `permission ${name} is not granted to the app (or has no admin consent)`)
  return {
    toRead: told(missing.filter((name) => reads.includes(name))),
    toWrite: told(missing.filter((name) => !reads.includes(name))),
  }
}

const checkClock = (date: string | null, now: number): Omit<CheckReport, 'ok'> => {
  const skew = Math.abs(Date.parse(date ?? '') - now)
  if (Number.isNaN(skew)) return { problems: [], unknown: ["Graph's clock (its answer has no date)"] }
  const seconds = Math.round(skew / 1_000)
  return skew > maxSkewMs
    ? { problems: [`this clock is ${seconds} s away from Graph's`] }
    : { problems: [], facts: [`clocks ${seconds} s apart`] }
}

/** What can be known of a credential's end: a certificate says it, a secret does not, a workload's identity has none. */
const checkCredential = async ({ credential }: EntraSettings, now: number): Promise<Omit<CheckReport, 'ok'>> => {
  if (credential.kind === 'secret') return { problems: [], unknown: ['when the secret ends (Entra tells no client)'] }
  if (credential.kind === 'federated') return { problems: [] }
  try {
    const ends = new X509Certificate(await readFile(credential.certificateFile)).validToDate.getTime()
    if (ends <= now) return { problems: [`the certificate ended on ${day(ends)}`] }
    return ends - now < soonMs
      ? { problems: [`the certificate ends on ${day(ends)}`] }
      : { problems: [], facts: [`certificate until ${day(ends)}`] }
  } catch {
    return { problems: [`credential.certificateFile: ${credential.certificateFile} gives no certificate`] }
  }
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
