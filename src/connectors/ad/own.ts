import { AndFilter, EqualityFilter, type Filter, PresenceFilter } from 'ldapts'
import { dnKey } from '../../domain/dn.ts'
import type { OwnThing, Snapshot } from '../connector.ts'
import { failureText } from '../ldap-wire/answers.ts'
import type { LdapClient } from '../ldap-wire/client.ts'
import { type Entry, firstValue } from '../ldap-wire/entry.ts'
import { type Failure, failed, ok, type Result } from '../ldap-wire/errors.ts'
import { type AdSettings, domainBase } from './config.ts'
import { parseExtendedDn } from './extended-dn.ts'
import { anyObject } from './filters.ts'

/**
 * The service account, by the name that it signs in with: a DN, a UPN as it is set, else the sAMAccountName of this domain
 * ([MS-ADTS] §5.1.1.1.1, in this order). Somebody else's is nobody of this domain. By any other name that AD takes (GUID, SID,
 * canonical, display or service principal name), it is whom AD says that it is.
 */
export const own = async (client: LdapClient, settings: AdSettings): Promise<Snapshot<OwnThing>> => {
  const found = await boundAs(client, settings)
  if (!found.ok) return { kind: 'partial', items: [], cause: failureText(found.failure) }
  // One name, two accounts: the domain controller refuses such a bind, or is not of one mind yet.
  if (found.value.length > 1) return { kind: 'partial', items: [], cause: 'several-own-accounts' }
  const items = found.value.flatMap((entry): OwnThing[] => {
    const nativeId = parseExtendedDn(entry.dn)?.guid
    if (nativeId === undefined) return []
    return [{ kind: 'account', nativeId }]
  })
  return { kind: 'complete', items }
}

const boundAs = async (client: LdapClient, settings: AdSettings): Promise<Result<readonly Entry[]>> => {
  const name = settings.bindName
  const isUsual = name.includes('=') || name.includes('\\') || (name.includes('@') && !name.includes('/'))
  if (isUsual) return named(client, settings, name)
  const told = await client.whoAmI()
  // Samba does not know the question, and takes a plain sAMAccountName, too.
  if (!told.ok && told.failure.result !== protocolError) return told
  const found = await named(client, settings, told.ok ? told.value.replace(/^(?:u|dn):/i, '') : name)
  return !found.ok || found.value.length > 0 || (told.ok && told.value !== '') ? found : failed(untold)
}

const protocolError = 2
const untold: Failure = { code: '', result: null, word: 'own-account-not-told', sent: false }

const named = async (client: LdapClient, settings: AdSettings, name: string): Promise<Result<readonly Entry[]>> => {
  const domain = domainBase(settings)
  const by = (attribute: string, value: string) =>
    client.search({
      base: domain,
      scope: 'sub',
      filter: new EqualityFilter({ attribute, value }),
      attributes: ['objectGUID'],
    })
  if (name.includes('=')) return by('distinguishedName', name)
  const slash = name.indexOf('\\')
  if (slash >= 0) {
    const isOurs = await isNetBiosName(client, domain, name.slice(0, slash))
    if (!isOurs.ok) return isOurs
    return isOurs.value ? by('sAMAccountName', name.slice(slash + 1)) : ok([])
  }
  const byUpn = await by('userPrincipalName', name)
  if (!byUpn.ok || byUpn.value.length > 0) return byUpn
  const [local = name, suffix] = name.split('@')
  if (suffix !== undefined && suffix.toLowerCase() !== dnsNameOf(domain)) return ok([])
  return by('sAMAccountName', local)
}

/** `DC=corp,DC=example` → `corp.example`. */
const dnsNameOf = (domain: string): string => dnKey(domain).replace(/(^|,)dc=/g, (_, comma) => (comma ? '.' : ''))

/** The forest's partitions tell which short name is which domain's. */
const isNetBiosName = async (client: LdapClient, domain: string, name: string): Promise<Result<boolean>> => {
  const root = await client.search({
    base: '',
    scope: 'base',
    filter: anyObject,
    attributes: ['configurationNamingContext'],
  })
  if (!root.ok) return root
  const configuration =
    root.value[0] === undefined ? undefined : firstValue(root.value[0], 'configurationNamingContext')
  if (configuration === undefined) return ok(true)
  const filters: Filter[] = [
    new EqualityFilter({ attribute: 'nCName', value: domain }),
    new PresenceFilter({ attribute: 'nETBIOSName' }),
  ]
  const read = await client.search({
    base: `CN=Partitions,${parseExtendedDn(configuration)?.dn ?? configuration}`,
    scope: 'one',
    filter: new AndFilter({ filters }),
    attributes: ['nETBIOSName'],
  })
  // Hidden from us they tell as little as where they say nothing of this domain.
  if (!read.ok) return read.failure.result === 32 || read.failure.result === 50 ? ok(true) : read
  const told = read.value[0] === undefined ? undefined : firstValue(read.value[0], 'nETBIOSName')
  return ok(told === undefined || told.toLowerCase() === name.toLowerCase())
}
