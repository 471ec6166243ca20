import type { Outcome } from '../../domain/outcome.ts'
import { fill, mapAttributes } from '../attribute-mapping.ts'
import { notSo } from '../connector.ts'
import { ambiguous, type Missing } from '../correlate-others.ts'
import { refused, retry } from '../ldap-wire/answers.ts'
import { mapRdn } from '../ldap-wire/attributes.ts'
import type { Gate, LdapClient, Values } from '../ldap-wire/client.ts'
import { outcomeOfRead } from '../ldap-wire/errors.ts'
import { findByKeys, foldKey } from '../ldap-wire/resolve.ts'
import { findPeople, shownAccount } from './account.ts'
import type { AdSettings } from './config.ts'
import { outcomeOfChange } from './errors.ts'
import { guidOf } from './extended-dn.ts'
import { forgottenPassword } from './password.ts'
import { setEnabled } from './set-enabled.ts'
import { newAccount } from './user-account-control.ts'
import type { Written } from './written.ts'

export type Created = { readonly index: number; readonly result: 'created' | Outcome }
type Draft = Missing & {
  readonly dn: string
  readonly sam: string
  readonly upn: string | null
  readonly attributes: ReadonlyMap<string, readonly string[]>
}

/** MS-SAMR §3.1.1.6 and MS-ADTS §3.1.1.5.2.2: what the name of an account may not hold. */
const notInSam = /["/\\[\]:;|=,+*?<>\p{Cc}]|\.$/u
const longestSam = 20

/**
 * Creates the accounts that nobody has yet, some connections side by side: disabled and with a password that nobody knows,
 * then enabled. `created` is the server's word, not yet proved. One that stays disabled because the second step was lost is
 * found by the next call, and enabled by an operation of its own.
 */
export const createAccounts = async (
  client: LdapClient,
  settings: AdSettings,
  missing: readonly Missing[],
  gate: Gate,
): Promise<readonly Created[]> => {
  const created: Created[] = []
  const drafts: Draft[] = []
  for (const one of missing) {
    const draft = draftOf(settings, one)
    if (typeof draft === 'string') created.push({ index: one.index, result: refused('invalid', draft) })
    else drafts.push(draft)
  }
  if (drafts.length === 0) return created
  const free = await freeNames(client, settings, drafts, created)
  const queue = [...free]
  const work = async (writer: number): Promise<void> => {
    for (let draft = queue.shift(); draft !== undefined; draft = queue.shift())
      created.push({ index: draft.index, result: await create(client, settings, draft, gate, writer) })
  }
  await Promise.all(Array.from({ length: Math.min(client.writers, free.length) }, (_, writer) => work(writer)))
  return created
}

/** What the new account is called and has; a word when it cannot be. */
const draftOf = (settings: AdSettings, { index, operation }: Missing): Draft | string => {
  const { account } = settings
  const { worker, correlation } = operation.wanted
  const rdn = mapRdn(account, worker)
  const sam = fill(account.sAMAccountName, worker)
  const upn = account.userPrincipalName === undefined ? null : fill(account.userPrincipalName, worker)
  if (rdn === null || sam === '' || upn === '') return 'name-template-empty'
  // MS-ADTS §3.1.1.5.1.2: an RDN must not have it, and its own marks of deleted objects do.
  if (rdn.value.includes('\n')) return 'rdn-characters'
  if (sam.length > longestSam) return 'sam-account-name-too-long'
  if (notInSam.test(sam)) return 'sam-account-name-characters'
  const attributes = new Map<string, readonly string[]>([
    ['objectClass', ['user']],
    ['sAMAccountName', [sam]],
    ...(upn === null ? [] : [['userPrincipalName', [upn]] as const]),
    [settings.correlation, [correlation.value]],
    ...[...mapAttributes(account.attributes, worker)].filter(([, values]) => values.length > 0),
  ])
  return { index, operation, dn: `${rdn.rdn},${settings.peopleBase}`, sam, upn, attributes }
}

/** Drafts whose names nobody in the domain has. The RDN is judged by AD itself: it is unique in its container. */
const freeNames = async (
  client: LdapClient,
  settings: AdSettings,
  drafts: readonly Draft[],
  created: Created[],
): Promise<readonly Draft[]> => {
  const taken = (attribute: string, keys: readonly string[]) =>
    // Groups and computers have names of the same kind.
    findByKeys(client, { base: settings.searchBase, attribute, keys, attributes: [attribute] })
  const [sams, upns] = await Promise.all([
    taken(
      'sAMAccountName',
      drafts.map(({ sam }) => sam),
    ),
    taken(
      'userPrincipalName',
      drafts.flatMap(({ upn }) => (upn === null ? [] : [upn])),
    ),
  ])
  return drafts.filter(({ index, sam, upn }) => {
    const refuse = (result: Outcome) => {
      created.push({ index, result })
      return false
    }
    if (!sams.ok) return refuse(outcomeOfRead(sams.failure, 'account'))
    if (!upns.ok) return refuse(outcomeOfRead(upns.failure, 'account'))
    if (sams.value.has(foldKey(sam))) return refuse(refused('name-taken', 'sam-account-name-taken'))
    if (upn !== null && upns.value.has(foldKey(upn))) return refuse(refused('name-taken', 'upn-taken'))
    return true
  })
}

const create = async (
  client: LdapClient,
  settings: AdSettings,
  draft: Draft,
  gate: Gate,
  writer: number,
): Promise<'created' | Outcome> => {
  const attributes = new Map<string, Values>([
    ...draft.attributes,
    ['userAccountControl', [newAccount]],
    ['unicodePwd', [forgottenPassword()]],
  ])
  const added = await client.add(draft.dn, attributes, gate, writer)
  if (!added.ok) {
    // 32: the OU in which people are created.
    if (added.failure.result === 32) return refused('configuration', 'people-base-missing')
    return outcomeOfChange(added.failure, 'account')
  }
  const opened = await open(client, settings, draft, gate, writer)
  return opened.kind === 'written' ? 'created' : afterCreation(opened)
}

/** Enables the account that was just made. */
const open = async (
  client: LdapClient,
  settings: AdSettings,
  draft: Draft,
  gate: Gate,
  writer: number,
): Promise<Written | Outcome> => {
  const { value } = draft.operation.wanted.correlation
  const found = await findPeople(client, settings, settings.correlation, [value])
  if (!found.ok) return outcomeOfRead(found.failure, 'account')
  const entries = found.value.get(foldKey(value)) ?? []
  if (entries[0] === undefined) return retry(notSo)
  // Whoever made another one at the same moment: none of them is enabled by us.
  if (entries.length > 1) return ambiguous('several-accounts', settings.correlation, entries.map(guidOf))
  const account = await shownAccount(client, entries[0])
  if (!account.ok) return outcomeOfRead(account.failure, 'account')
  return setEnabled(client, settings, account.value, true, gate, writer)
}

/** The account is there: whatever would say that surely nothing was applied is not true any more. */
const afterCreation = (outcome: Outcome): Outcome => {
  if (outcome.kind === 'throttled')
    return { kind: 'unknown', cause: { code: '', word: 'created-not-enabled-throttled', elsewhere: true } }
  if (outcome.kind !== 'retry') return outcome
  return { kind: 'unknown', cause: { ...outcome.cause, word: `created-not-enabled-${outcome.cause.word}` } }
}
