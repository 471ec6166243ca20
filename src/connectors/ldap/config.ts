import { z } from 'zod'
import { alternativesBy, checkAlternatives } from '../alternatives.ts'
import { splitRdn } from '../ldap-wire/attributes.ts'
import { attributeName, dn, rdnTemplate, timeouts } from '../ldap-wire/connection.ts'
import { template } from '../template.ts'
import { isWithin } from './within.ts'

/** Set by the connector or by the directory itself: a mapping of these would be a password of everybody's, or open whoever is shut. */
const notMapped = [
  'objectClass',
  'structuralObjectClass',
  'entryUUID',
  'entryDN',
  'entryCSN',
  'memberOf',
  'userPassword',
  'pwdAccountLockedTime',
  'pwdPolicySubentry',
  'pwdReset',
  'pwdChangedTime',
  'pwdFailureTime',
  'pwdHistory',
].map((name) => name.toLowerCase())

const account = z
  .strictObject({
    objectClasses: z.array(attributeName).min(1).default(['inetOrgPerson']),
    rdn: rdnTemplate('uid={username}')
      .optional()
      .describe(
        'Naming attribute and its template, e.g. uid={username}, of a created account; renames none. Needed with accounts: create.',
      ),
    attributes: z
      .record(attributeName, z.union([template, z.array(template).min(1)]))
      .default({})
      .describe(
        'LDAP attribute → template, or a list of templates for an attribute with several values. Left out: none is written.',
      ),
    /**
     * What a created account gets as userPassword; it is random and forgotten at once in every case.
     * `ssha`: hashed here. `clear`: sent as it is, for directories that check quality and hash by themselves. `none`: no password.
     */
    initialPassword: z.enum(['ssha', 'clear', 'none']).default('ssha'),
  })
  .superRefine((value, context) => {
    const [naming] = splitRdn(value.rdn ?? '')
    for (const name of Object.keys(value.attributes)) {
      if (name.toLowerCase() === naming.toLowerCase()) {
        context.addIssue({
          code: 'custom',
          path: ['attributes', name],
          message: 'names the account; it is set by `rdn` when the account is created',
        })
      } else if (notMapped.includes(name.toLowerCase())) {
        context.addIssue({
          code: 'custom',
          path: ['attributes', name],
          message: 'is set by the connector or by the directory',
        })
      }
    }
  })

const group = z.strictObject({
  memberAttribute: attributeName.default('member'),
  /**
   * A groupOfNames may not be empty: this DN stays behind when the last member leaves, and is never shown as a member.
   * It need not exist.
   */
  placeholder: dn.default('cn=nobody'),
})

/**
 * Configuration of an LDAP target. `bindPassword` is a secret reference in muster.yaml and the secret itself by the time it
 * reaches the connector; `caFile` is an absolute path by then.
 */
export const ldapSettingsSchema = z
  .strictObject({
    url: z.string().regex(/^ldaps?:\/\/[^/?#]+\/?$/i, 'must read ldaps://host[:port] or ldap://host[:port]'),
    /** ldaps:// is always TLS. ldap:// must say startTls, or plain in so many words. */
    security: z.enum(['tls', 'startTls', 'plain']).optional(),
    /** PEM file of the authorities to trust instead of the system's. */
    caFile: z.string().min(1).optional(),
    bindDn: dn,
    /** An empty one would be an anonymous bind that reports success (RFC 4513 §5.1.2). */
    bindPassword: z.string().min(1, 'an empty password would bind anonymously'),
    /** Where accounts are looked for that somebody has moved out of `peopleBase`. Default: the naming context that it is in. */
    searchBase: dn.optional(),
    peopleBase: dn,
    groupsBase: dn,
    /** The attribute that holds the person key. Must be indexed for equality. */
    correlation: attributeName.default('employeeNumber'),
    alternatives: alternativesBy(
      attributeName.describe('Attribute of the account, e.g. mail. Must be indexed for equality.'),
      attributeName,
    ),
    account: account.prefault({}),
    group: group.prefault({}),
    /** Policy whose pwdLockout must be TRUE, checked by `doctor`; without lockout slapd ignores pwdAccountLockedTime. */
    passwordPolicyDn: dn.optional(),
    timeouts,
    /** Connections that create accounts side by side. Memberships always use one (DESIGN §3). */
    createConnections: z.number().int().min(1).max(8).default(2),
  })
  .superRefine((value, context) => {
    const secureUrl = /^ldaps:/i.test(value.url)
    if (secureUrl && value.security !== undefined && value.security !== 'tls') {
      context.addIssue({
        code: 'custom',
        path: ['security'],
        message: 'ldaps:// is TLS; leave security out or say tls',
      })
    }
    if (!secureUrl && (value.security === undefined || value.security === 'tls')) {
      context.addIssue({
        code: 'custom',
        path: ['security'],
        message: 'ldap:// needs security: startTls (or plain, which sends secrets unencrypted)',
      })
    }
    if (Object.keys(value.account.attributes).some((name) => name.toLowerCase() === value.correlation.toLowerCase())) {
      context.addIssue({
        code: 'custom',
        path: ['account', 'attributes'],
        message: `${value.correlation} is the correlation attribute and is set by the connector`,
      })
    }
    checkAlternatives(value, context)
    if (value.searchBase !== undefined && !isWithin(value.peopleBase, value.searchBase))
      context.addIssue({ code: 'custom', path: ['peopleBase'], message: 'is not below searchBase' })
  })

export type LdapSettings = z.output<typeof ldapSettingsSchema>
