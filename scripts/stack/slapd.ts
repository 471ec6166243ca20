/** OpenLDAP's slapd with a classic slapd.conf: the system's, else Debian's packages unpacked. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'ldapts'
import { hasApt, unpack } from './apt.ts'
import { certificates } from './certificates.ts'
import { type OnProgress, StackError } from './part.ts'
import { type Ownership, type Server, server } from './process.ts'
import { findProgram, run } from './run-tool.ts'
import { firstEntries, rootDn, type SlapdVariant, slapdConf } from './slapd-files.ts'

export type SlapdOptions = {
  readonly dir: string
  /** Where it listens; loopback unless said otherwise. */
  readonly host?: string
  /** More names for its certificate than localhost. */
  readonly names?: readonly string[]
  readonly port: number
  readonly tlsPort: number
  readonly rootPassword: string
  readonly servicePassword: string
  readonly variant: SlapdVariant
  /** LDIF that a new directory begins with, after the base entries. */
  readonly entries?: string
}

/** A client program of OpenLDAP and the environment it needs. */
export type Tool = { readonly command: string; readonly env: Readonly<Record<string, string>> }

const todo = 'install slapd and ldap-utils (Debian: apt-get install slapd ldap-utils), or set MUSTER_STACK_LDAP_URL'

export async function slapd(
  options: SlapdOptions,
  own: Ownership,
  onProgress: OnProgress,
): Promise<{ readonly server: Server; readonly caFile: string }> {
  const { dir, port } = options
  const logFile = join(dir, 'slapd.log')
  const programs = await openldap(onProgress)
  const tlsDir = join(dir, 'tls')
  mkdirSync(tlsDir, { recursive: true })
  const tls = await certificates(tlsDir, options.names)
  const conf = join(dir, 'slapd.conf')
  const data = join(dir, 'data')
  const write = (dataDir: string) => {
    const places = {
      schemaDir: programs.schemaDir,
      moduleDir: programs.moduleDir,
      dataDir,
      pidFile: join(dir, 'slapd.pid'),
      tls,
    }
    writeFileSync(conf, slapdConf(places, options.rootPassword, options.variant), { mode: 0o600 })
  }
  if (!existsSync(data)) {
    onProgress({ part: 'slapd', text: 'creating the directory' })
    const fresh = `${data}.new`
    rmSync(fresh, { recursive: true, force: true })
    mkdirSync(fresh)
    write(fresh)
    const load = ['-T', 'add', '-q', '-f', conf, '-b', baseOf(rootDn)]
    try {
      await run(programs.slapd, load, {
        env: programs.env,
        input: `${firstEntries(options.servicePassword)}\n${options.entries ?? ''}`,
      })
    } catch (error) {
      throw new StackError('slapd', `its first entries could not be loaded: ${error}`, todo)
    }
    renameSync(fresh, data)
  }
  if (own.adopted === undefined) write(data)
  const host = options.host ?? '127.0.0.1'
  const urls = `ldap://${host}:${port}/ ldaps://${host}:${options.tlsPort}/`
  const one = server(
    {
      part: 'slapd',
      command: [programs.slapd, '-d', 'none', '-f', conf, '-h', urls],
      env: programs.env,
      cwd: dir,
      logFile,
      stopSignal: 'SIGTERM',
      probe: () => binds(`ldap://127.0.0.1:${port}`, options.rootPassword),
      todo: `look at ${logFile}; npm run stack -- reset forgets its data; ${todo}`,
    },
    own,
  )
  return { server: one, caFile: tls.caFile }
}

/** ldapsearch, the witness that is not our code. */
export const ldapsearch = (onProgress?: OnProgress): Promise<Tool> => ldapTool('ldapsearch', onProgress)

/** A client program of OpenLDAP, wherever it comes from. */
export async function ldapTool(program: 'ldapsearch' | 'ldapmodify', onProgress: OnProgress = () => {}): Promise<Tool> {
  const installed = findProgram(program)
  if (installed) return { command: installed, env: {} }
  const { root, env } = await openldapPackages(onProgress)
  return { command: join(root, 'usr', 'bin', program), env }
}

/** Resolves when it takes the root's password. */
export async function binds(url: string, password: string): Promise<void> {
  const client = new Client({ url, connectTimeout: 2000, timeout: 2000 })
  try {
    await client.bind(rootDn, password)
  } finally {
    await client.unbind()
  }
}

type OpenLdap = Tool & { readonly slapd: string; readonly schemaDir: string; readonly moduleDir: string }

/** Ubuntu lets its slapd read /etc/ldap and /var/lib/ldap only; a copy elsewhere is under no such profile. */
const profile = '/etc/apparmor.d/usr.sbin.slapd'

async function openldap(onProgress: OnProgress): Promise<OpenLdap> {
  const installed = existsSync(profile) && hasApt() ? undefined : findProgram('slapd')
  if (installed) return layout(installed, '/', {})
  const { root, env } = await openldapPackages(onProgress)
  return layout(join(root, 'usr', 'sbin', 'slapd'), root, env)
}

function layout(program: string, root: string, env: Readonly<Record<string, string>>): OpenLdap {
  const schemas = ['etc/ldap/schema', 'etc/openldap/schema', 'private/etc/openldap/schema'].map((path) =>
    join(root, path),
  )
  const modules = ['usr/lib/ldap', 'usr/lib64/openldap', 'usr/lib/openldap'].map((path) => join(root, path))
  const schemaDir = schemas.find((path) => existsSync(join(path, 'core.schema')))
  const moduleDir = modules.find(
    (path) => existsSync(path) && readdirSync(path).some((file) => file.startsWith('back_mdb')),
  )
  if (!schemaDir || !moduleDir)
    throw new StackError('slapd', `the schemas or modules of ${program} are not where expected`, todo)
  return { command: program, slapd: program, schemaDir, moduleDir, env }
}

async function openldapPackages(onProgress: OnProgress) {
  if (!hasApt()) throw new StackError('slapd', 'none is installed, and this system has no apt to fetch it with', todo)
  try {
    return await unpack('openldap', ['slapd', 'ldap-utils'], onProgress)
  } catch (error) {
    throw new StackError('slapd', `none is installed, and it could not be fetched: ${error}`, todo)
  }
}

function baseOf(dn: string): string {
  return dn.slice(dn.indexOf(',') + 1)
}
