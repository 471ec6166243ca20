/** The domain that the Samba domain controller begins with, and its smb.conf. Pure text. */
import { join } from 'node:path'
import type { TlsFiles } from './certificates.ts'

export const realm = 'CORP.BANK.EXAMPLE'
export const netbios = 'CORP'
export const baseDn = 'DC=corp,DC=bank,DC=example'
export const administrator = 'administrator@corp.bank.example'
/** The engine's account. */
export const serviceAccount = 'muster'
export const service = `${serviceAccount}@corp.bank.example`
export const units = { people: 'People', leavers: 'Leavers', groups: 'Groups' } as const

/** Schema and extended-right GUIDs, as Microsoft's AD schema and MS-ADTS §5.1.3.2.1 list them. */
const user = 'bf967aba-0de6-11d0-a285-00aa003049e2'
const group = 'bf967a9c-0de6-11d0-a285-00aa003049e2'
const resetPassword = '00299570-246d-11d0-a768-00aa006e0529'
const member = 'bf9679c0-0de6-11d0-a285-00aa003049e2'

/**
 * What docs/connectors/ad.md asks to delegate, as SDDL per unit: people are created, deleted, renamed by a move, written and
 * given passwords in People and Leavers; of groups only `member` is written, in Groups.
 */
export const delegated = (sid: string): Readonly<Record<keyof typeof units, string>> => {
  const people = [
    `(OA;CI;CCDC;${user};;${sid})`,
    `(OA;CIIO;RPWP;;${user};${sid})`,
    `(OA;CIIO;SDDT;;${user};${sid})`,
    `(OA;CIIO;CR;${resetPassword};${user};${sid})`,
  ].join('')
  return { people, leavers: people, groups: `(OA;CIIO;RPWP;${member};${group};${sid})` }
}

export const deletedObjects = `CN=Deleted Objects,${baseDn}`
export const seeing = (sid: string): string => `(A;;LCRP;;;${sid})`

export const smbConf = (dir: string, address: string, tls: TlsFiles): string => {
  const settings: Readonly<Record<string, string>> = {
    'netbios name': 'DC1',
    realm,
    workgroup: netbios,
    'server role': 'active directory domain controller',
    'server services': 'ldap',
    // /8, for a /32 is taken for the address of a network that no interface is in.
    interfaces: `${address}/8`,
    'bind interfaces only': 'yes',
    'private dir': join(dir, 'private'),
    'state directory': join(dir, 'state'),
    'cache directory': join(dir, 'cache'),
    'lock directory': dir,
    'pid directory': join(dir, 'run'),
    'ncalrpc dir': join(dir, 'ncalrpc'),
    'posix:eadb': join(dir, 'private', 'eadb.tdb'),
    // So that a proxy between a connector and this server can tell a write from a read.
    'ldap server require strong auth': 'no',
    'tls enabled': 'yes',
    'tls cafile': tls.caFile,
    'tls certfile': tls.certFile,
    'tls keyfile': tls.keyFile,
  }
  return `[global]\n${Object.entries(settings)
    .map(([name, value]) => `  ${name} = ${value}\n`)
    .join('')}`
}
