import { hash, randomBytes } from 'node:crypto'
import type { Outcome } from '../../domain/outcome.ts'
import { mapAttributes } from '../attribute-mapping.ts'
import type { Missing } from '../correlate-others.ts'
import { refused } from '../ldap-wire/answers.ts'
import { mapRdn } from '../ldap-wire/attributes.ts'
import type { Gate, LdapClient } from '../ldap-wire/client.ts'
import { outcomeOfRead, outcomeOfWrite } from '../ldap-wire/errors.ts'
import { findByKeys, foldKey } from '../ldap-wire/resolve.ts'
import type { LdapSettings } from './config.ts'
import { readHoldings } from './read-back.ts'

export type Created = { readonly index: number; readonly result: 'created' | Outcome }
type Draft = Missing & {
  readonly dn: string
  readonly name: string
  readonly attributes: ReadonlyMap<string, readonly string[]>
}

/** Creates the accounts that nobody has yet, some connections side by side. `created` is the server's word, not yet proved. */
export const createAccounts = async (
  client: LdapClient,
  settings: LdapSettings,
  missing: readonly Missing[],
  gate: Gate,
): Promise<readonly Created[]> => {
  const created: Created[] = []
  const drafts: Draft[] = []
  for (const { index, operation } of missing) {
    const rdn = mapRdn(settings.account, operation.wanted.worker)
    if (rdn === null) {
      created.push({ index, result: refused('invalid', 'name-template-empty') })
      continue
    }
    const attributes = new Map<string, readonly string[]>([
      ['objectClass', settings.account.objectClasses],
      [rdn.name, [rdn.value]],
      [settings.correlation, [operation.wanted.correlation.value]],
      ...[...mapAttributes(settings.account.attributes, operation.wanted.worker)].filter(
        ([, values]) => values.length > 0,
      ),
    ])
    drafts.push({ index, operation, dn: `${rdn.rdn},${settings.peopleBase}`, name: rdn.value, attributes })
  }
  if (drafts.length === 0) return created

  const free = await freeNames(client, settings, drafts, created)
  const queue = [...free]
  const work = async (writer: number): Promise<void> => {
    for (let draft = queue.shift(); draft !== undefined; draft = queue.shift()) {
      const attributes = new Map([...draft.attributes, ...initialPassword(settings)])
      const added = await client.add(draft.dn, attributes, gate, writer)
      created.push({
        index: draft.index,
        result: added.ok ? 'created' : outcomeOfAdd(outcomeOfWrite(added.failure, 'account'), added.failure.result),
      })
    }
  }
  await Promise.all(Array.from({ length: Math.min(client.writers, free.length) }, (_, writer) => work(writer)))
  return created
}

/** 32 when adding: the base below which people are created is not there. */
const outcomeOfAdd = (outcome: Outcome, code: number | null): Outcome =>
  code === 32 ? refused('configuration', 'people-base-missing') : outcome

/**
 * Drafts whose name nobody has: neither an entry with the same naming attribute anywhere below `peopleBase`, nor a group that
 * still lists the DN of somebody deleted (a directory without referential integrity): the new account would hold it at once.
 */
const freeNames = async (
  client: LdapClient,
  settings: LdapSettings,
  drafts: readonly Draft[],
  created: Created[],
): Promise<readonly Draft[]> => {
  const [naming = ''] = (settings.account.rdn ?? '').split('=')
  const [taken, holdings] = await Promise.all([
    findByKeys(client, {
      base: settings.peopleBase,
      attribute: naming,
      keys: drafts.map(({ name }) => name),
      attributes: [naming],
    }),
    readHoldings(
      client,
      settings,
      drafts.map(({ dn }) => dn),
    ),
  ])
  return drafts.filter(({ index, dn, name }) => {
    const refuse = (result: Outcome) => {
      created.push({ index, result })
      return false
    }
    if (!taken.ok) return refuse(outcomeOfRead(taken.failure, 'account'))
    if (!holdings.ok) return refuse(outcomeOfRead(holdings.failure, 'account'))
    if (taken.value.has(foldKey(name))) return refuse(refused('name-taken', 'name-taken'))
    if (holdings.value.groupsOf(dn).length > 0) return refuse(refused('name-taken', 'name-left-in-groups'))
    return true
  })
}

/** A password that nobody ever knows: the person gets theirs by the directory's own reset. */
const initialPassword = (settings: LdapSettings): readonly (readonly [string, readonly string[]])[] => {
  const kind = settings.account.initialPassword
  if (kind === 'none') return []
  const password = randomBytes(24).toString('base64url')
  if (kind === 'clear') return [['userPassword', [password]]]
  const salt = randomBytes(8)
  const digest = hash('sha1', Buffer.concat([Buffer.from(password), salt]), 'buffer')
  return [['userPassword', [`{SSHA}${Buffer.concat([digest, salt]).toString('base64')}`]]]
}
