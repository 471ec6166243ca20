import { z } from 'zod'
import { dnKey, foldDn, parseDn } from '../../domain/dn.ts'
import { alternativesBy, checkAlternatives } from '../alternatives.ts'
import { splitRdn } from '../ldap-wire/attributes.ts'
import { attributeName, dn, rdnTemplate, timeouts } from '../ldap-wire/connection.ts'
import { template } from '../template.ts'

/** Set by the connector or by AD itself: a mapping of these would be a second hand on them. */
const notMapped = [
  'objectClass',
  'objectGUID',
  'objectSid',
  'sAMAccountName',
  'userPrincipalName',
  'userAccountControl',
  'unicodePwd',
  'pwdLastSet',
  'primaryGroupID',
  'member',
  'memberOf',
  'adminCount',
  'distinguishedName',
  'name',
].map((name) => name.toLowerCase())

const account = z
  .strictObject({
    /** Naming attribute and its template. Used when an account is created, never to rename one. */
    rdn: rdnTemplate('CN={displayName}').default('CN={displayName|username}'),
    /** Names of a new account, unique in the domain; never changed later. */
    sAMAccountName: template.default('{username}'),
    userPrincipalName: template.optional(),
    attributes: z
      .record(attributeName, z.union([template, z.array(template).min(1)]))
      .default({})
      .describe(
        'AD attribute → template, or a list of templates for an attribute with several values. Left out: none is written.',
      ),
  })
  .superRefine((value, context) => {
    const [naming] = splitRdn(value.rdn)
    for (const name of Object.keys(value.attributes)) {
      if (name.toLowerCase() === naming.toLowerCase() || notMapped.includes(name.toLowerCase()))
        context.addIssue({ code: 'custom', path: ['attributes', name], message: 'is set by the connector or by AD' })
    }
  })

/** What is done to an account beyond disabling it. Undone by `enable` as far as it can be: it moves back to `peopleBase`. */
const leaver = z.strictObject({
  /** OU for disabled accounts. */
  moveTo: dn.optional(),
  /** A random password that nobody knows, to be changed at the next sign-in. */
  resetPassword: z.boolean().default(false),
  clearManager: z.boolean().default(false),
})

/**
 * Configuration of an Active Directory target. `bindPassword` is a secret reference in muster.yaml and the secret itself by
 * the time it reaches the connector; `caFile` is an absolute path by then.
 */
export const adSettingsSchema = z
  .strictObject({
    /** Domain controllers of one domain, the preferred one first. Not a load balancer: reads must see the writes before them. */
    urls: z.array(z.string().regex(/^ldaps?:\/\/[^/?#]+\/?$/i, 'must read ldaps://host[:port]')).min(1),
    /** ldaps:// is always TLS. ldap:// must say startTls, or plain in so many words: AD then refuses passwords. */
    security: z.enum(['tls', 'startTls', 'plain']).optional(),
    /** PEM file of the authorities to trust instead of the system's. */
    caFile: z.string().min(1).optional(),
    /** The service account: UPN, DN or DOMAIN\name. */
    bindName: z.string().min(1),
    /** An empty one would be an anonymous bind that reports success (RFC 4513 §5.1.2). */
    bindPassword: z.string().min(1, 'an empty password would bind anonymously'),
    /** Where accounts are looked for: they are moved about. Default: the domain that `peopleBase` is in. */
    searchBase: dn.optional(),
    /** Where accounts are created. */
    peopleBase: dn,
    /** Groups outside may be taken away, never granted. */
    groupsBase: dn,
    /** The attribute that holds the person key. */
    correlation: attributeName.default('employeeID'),
    alternatives: alternativesBy(
      attributeName.describe('Attribute of the account, e.g. mail. Must be indexed for equality.'),
      attributeName,
    ),
    account: account.prefault({}),
    leaver: leaver.prefault({}),
    /** Accounts with adminCount 1 are (or were) in a privileged group: shut, but else written only where this says so. */
    writeAdminAccounts: z.boolean().default(false),
    /** The forest's recycle bin is on: deleted accounts can be restored with their groups. */
    recycleBin: z.boolean().default(false),
    /** `doctor` complains from so much difference between our clock and the controller's. Kerberos allows 300 s. */
    clockSkewSeconds: z.number().int().min(1).max(3_600).default(60),
    timeouts,
    /** Connections that create accounts and change them. Memberships always use one (DESIGN §3). */
    createConnections: z.number().int().min(1).max(8).default(2),
  })
  .superRefine((value, context) => {
    const issue = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
    const secure = value.urls.map((url) => /^ldaps:/i.test(url))
    if (secure.some((one) => one !== secure[0])) issue(['urls'], 'all are ldaps:// or none is')
    else if (secure[0] && value.security !== undefined && value.security !== 'tls')
      issue(['security'], 'ldaps:// is TLS; leave security out or say tls')
    else if (!secure[0] && (value.security === undefined || value.security === 'tls'))
      issue(['security'], 'ldap:// needs security: startTls (or plain, which sends secrets unencrypted)')
    if (Object.keys(value.account.attributes).some((name) => name.toLowerCase() === value.correlation.toLowerCase()))
      issue(['account', 'attributes'], `${value.correlation} is the correlation attribute and is set by the connector`)
    checkAlternatives(value, context)
    const { moveTo } = value.leaver
    if (moveTo !== undefined && dnKey(moveTo) === dnKey(value.peopleBase))
      issue(['leaver', 'moveTo'], 'is where the accounts are already')
    const searched = value.searchBase ?? domainOf(value.peopleBase)
    if (searched === '') return issue(['searchBase'], 'peopleBase has no DC= parts to take it from')
    // Who is moved out of what is searched would seem to be gone.
    const isSearched = (base: string) => `,${dnKey(base)}`.endsWith(`,${dnKey(searched)}`)
    if (!isSearched(value.peopleBase)) issue(['peopleBase'], 'is not below searchBase')
    if (moveTo !== undefined && !isSearched(moveTo)) issue(['leaver', 'moveTo'], 'is not below searchBase')
  })
  .transform((value) => ({ ...value, searchBase: value.searchBase ?? domainOf(value.peopleBase) }))

/** `OU=People,DC=corp,DC=example` → `DC=corp,DC=example`. */
export const domainOf = (base: string): string => {
  const rdns = parseDn(base) ?? []
  const first = rdns.findIndex((rdn) => rdn[0]?.type === 'dc')
  return first < 0 ? '' : foldDn(rdns.slice(first))
}

export type AdSettings = z.output<typeof adSettingsSchema>

/** Where groups are looked for, and all that is not an account: `searchBase` may be a part of the domain. */
export const domainBase = ({ searchBase }: Pick<AdSettings, 'searchBase'>): string => domainOf(searchBase) || searchBase

/** Of another domain's objects this one tells names, and nothing that they are in. */
export const isOfDomain = (settings: Pick<AdSettings, 'searchBase'>, dn: string): boolean =>
  dnKey(domainOf(dn)) === dnKey(domainOf(settings.searchBase))
