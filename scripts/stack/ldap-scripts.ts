/** ldapsearch and ldapmodify as the directory's administrator, ready to type: nobody needs them in PATH, or its passwords. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { quoted } from './env-file.ts'
import type { Ldap, OnProgress } from './part.ts'
import { ldapTool } from './slapd.ts'

export type LdapScripts = {
  /** `search FILTER ATTRIBUTE…`, below the directory's base unless -b says otherwise. */
  readonly search: string
  /** `modify < LDIF`; -a where it only adds. */
  readonly modify: string
  readonly passwordFile: string
}

export const searchOptions = ['-LLL', '-o', 'ldif-wrap=no'] as const

/** Only their owner may read or run them. */
export async function writeLdapScripts(dir: string, ldap: Ldap, onProgress?: OnProgress): Promise<LdapScripts> {
  const passwordFile = join(dir, 'ldap.password')
  writeFileSync(passwordFile, ldap.rootPassword, { mode: 0o600 })
  const write = async (program: 'ldapsearch' | 'ldapmodify', options: readonly string[]): Promise<string> => {
    const tool = await ldapTool(program, onProgress)
    // By variables, so that -b and -H of whoever calls it count.
    const env = { ...tool.env, LDAPTLS_CACERT: ldap.caFile, LDAPURI: ldap.url, LDAPBASE: ldap.baseDn }
    const exports = Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}\n`)
    const words = [tool.command, '-x', ...options, '-D', ldap.rootDn, '-y', passwordFile].map(quoted).join(' ')
    const file = join(dir, program)
    writeFileSync(file, `#!/bin/sh\n${exports.join('')}exec ${words} "$@"\n`, { mode: 0o700 })
    return file
  }
  return {
    search: await write('ldapsearch', searchOptions),
    modify: await write('ldapmodify', []),
    passwordFile,
  }
}
