/** What slapd reads: its slapd.conf and the entries that a new directory begins with. Pure text. */
import { createHash, randomBytes } from 'node:crypto'
import type { TlsFiles } from './certificates.ts'

export const baseDn = 'dc=bank,dc=example'
export const rootDn = `cn=admin,${baseDn}`
/** The engine's account: it may write, and it is not the rootdn, which would pass by every access rule. */
export const serviceDn = `cn=muster,ou=services,${baseDn}`

export type SlapdVariant = {
  /** Adds the memberof overlay: back-links in the person's entry, at the cost of much slower group writes. */
  readonly memberof?: boolean
  /** More lines for slapd.conf before its database section, such as `idletimeout 2`. */
  readonly globalLines?: readonly string[]
  /** More lines inside its database section, such as an overlay or `sortvals member`. */
  readonly databaseLines?: readonly string[]
  /** Access rules instead of those by which the engine's account may do everything. */
  readonly access?: readonly string[]
  /** Its data need not outlive the machine. */
  readonly throwaway?: boolean
}

export type SlapdPlaces = {
  readonly schemaDir: string
  readonly moduleDir: string
  readonly dataDir: string
  readonly pidFile: string
  readonly tls: TlsFiles
}

/** "manage", because ppolicy's pwdAccountLockedTime is an operational attribute. */
const everything = [
  `access to attrs=userPassword by dn.exact="${serviceDn}" manage by self write by anonymous auth by * none`,
  `access to * by dn.exact="${serviceDn}" manage by users read by * none`,
]

export function slapdConf(places: SlapdPlaces, rootPassword: string, variant: SlapdVariant): string {
  const modules = ['back_mdb', 'ppolicy', ...(variant.memberof ? ['memberof'] : [])]
  const indexed = ['objectClass', 'uid', 'employeeNumber', 'entryUUID', 'entryCSN', 'member', 'cn']
  return [
    ...['core', 'cosine', 'inetorgperson'].map((name) => `include ${places.schemaDir}/${name}.schema`),
    `pidfile ${places.pidFile}`,
    `modulepath ${places.moduleDir}`,
    ...modules.map((name) => `moduleload ${name}`),
    'loglevel none',
    `TLSCACertificateFile ${places.tls.caFile}`,
    `TLSCertificateFile ${places.tls.certFile}`,
    `TLSCertificateKeyFile ${places.tls.keyFile}`,
    'TLSVerifyClient never',
    ...(variant.globalLines ?? []),
    '',
    'database mdb',
    `suffix "${baseDn}"`,
    `rootdn "${rootDn}"`,
    `rootpw ${hashed(rootPassword)}`,
    `directory ${places.dataDir}`,
    ...(variant.throwaway ? ['dbnosync'] : []),
    'maxsize 4294967296', // a ceiling of the sparse file, not its size
    ...indexed.map((attribute) => `index ${attribute} eq`),
    `limits dn.exact="${serviceDn}" size=unlimited time=unlimited`,
    ...(variant.access ?? everything),
    ...(variant.databaseLines ?? []),
    'overlay ppolicy',
    `ppolicy_default "cn=default,ou=policies,${baseDn}"`,
    'ppolicy_hash_cleartext',
    ...(variant.memberof ? ['overlay memberof'] : []),
    '',
  ].join('\n')
}

export function firstEntries(servicePassword: string): string {
  const unit = (name: string) => [`dn: ou=${name},${baseDn}`, 'objectClass: organizationalUnit', `ou: ${name}`]
  const entries = [
    [`dn: ${baseDn}`, 'objectClass: dcObject', 'objectClass: organization', 'dc: bank', 'o: Bank'],
    ...['people', 'groups', 'services', 'policies'].map(unit),
    [`dn: ${serviceDn}`, 'objectClass: applicationProcess', 'objectClass: simpleSecurityObject', 'cn: muster'].concat(
      `userPassword: ${hashed(servicePassword)}`,
    ),
    // Without pwdLockout, pwdAccountLockedTime would be ignored. Failed sign-ins lock nobody out.
    [
      `dn: cn=default,ou=policies,${baseDn}`,
      'objectClass: applicationProcess',
      'objectClass: pwdPolicy',
      'cn: default',
    ].concat('pwdAttribute: userPassword', 'pwdLockout: TRUE', 'pwdMaxFailure: 0'),
  ]
  return entries.map((lines) => `${lines.join('\n')}\n`).join('\n')
}

function hashed(password: string): string {
  const salt = randomBytes(8)
  const digest = createHash('sha1').update(password).update(salt).digest()
  return `{SSHA}${Buffer.concat([digest, salt]).toString('base64')}`
}
