/**
 * Samba as an Active Directory domain controller: the system's, else Debian's packages unpacked. Its LDAP port cannot be
 * chosen, so it gets a loopback address of its own, and its paths are compiled in, so unpacked ones are laid over /usr in
 * a mount namespace that only it lives in: both need root, and change nothing outside. Where there are no mount namespaces
 * (a chroot), they are installed, and started by nobody but us.
 */
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'ldapts'
import { hasApt, install, unpack } from './apt.ts'
import { certificates } from './certificates.ts'
import { cached } from './download.ts'
import { type OnProgress, StackError } from './part.ts'
import { type Ownership, type Server, server } from './process.ts'
import { findProgram, run } from './run-tool.ts'
import {
  administrator,
  baseDn,
  delegated,
  deletedObjects,
  netbios,
  realm,
  seeing,
  serviceAccount,
  smbConf,
  units,
} from './samba-domain.ts'

export type SambaOptions = {
  readonly dir: string
  /** Of loopback, where nothing else has `sambaPorts`. */
  readonly address: string
}
export type Passwords = { readonly administrator: string; readonly service: string }

/** LDAP, LDAPS and the global catalogue's. */
export const sambaPorts = [389, 636, 3268, 3269] as const

const packages = ['samba', 'samba-dsdb-modules', 'samba-vfs-modules', 'samba-ad-provision', 'python3-samba']
const todo = `run as root on Debian or Ubuntu (${packages.join(', ')}), or set MUSTER_STACK_AD_URL`
/** Nothing here outlives the machine; what one process wrote, the next one reads without. */
const noSync = { TDB_NO_FSYNC: '1' }
/** Raised when what a fresh domain contains changes. */
export const domainVersion = 3

export async function samba(
  options: SambaOptions,
  own: Ownership,
  onProgress: OnProgress,
): Promise<{ readonly server: Server; readonly caFile: string; readonly passwords: Passwords }> {
  const { dir, address } = options
  if (process.getuid?.() !== 0) throw new StackError('samba', 'its ports need root', todo)
  const tool = await programs(onProgress)
  const domain = join(dir, 'domain')
  if (!existsSync(domain)) {
    const template = await freshDomain(tool, onProgress)
    const fresh = `${domain}.new`
    rmSync(fresh, { recursive: true, force: true })
    cpSync(template, fresh, { recursive: true })
    renameSync(fresh, domain)
  }
  const tlsDir = join(dir, 'tls')
  mkdirSync(tlsDir, { recursive: true })
  const tls = await certificates(tlsDir, [address])
  for (const name of ['run', 'ncalrpc', 'cache']) mkdirSync(join(domain, name), { recursive: true })
  const conf = join(dir, 'smb.conf')
  if (own.adopted === undefined) writeFileSync(conf, smbConf(domain, address, tls))
  const passwords = passwordsOf(domain)
  const logFile = join(dir, 'samba.log')
  const one = server(
    {
      part: 'samba',
      command: tool.inside('samba', '--foreground', '--debug-stdout', '--model=single', `--configfile=${conf}`),
      env: noSync,
      cwd: dir,
      logFile,
      stopSignal: 'SIGTERM',
      probe: () => binds(`ldap://${address}`, passwords.administrator),
      todo: `look at ${logFile}; npm run stack -- reset forgets its data; ${todo}`,
    },
    own,
  )
  return { server: one, caFile: tls.caFile, passwords }
}

async function binds(url: string, password: string): Promise<void> {
  const client = new Client({ url, connectTimeout: 2000, timeout: 2000 })
  try {
    await client.bind(administrator, password)
  } finally {
    await client.unbind()
  }
}

function passwordsOf(domain: string): Passwords {
  return JSON.parse(readFileSync(join(domain, 'passwords.json'), 'utf8'))
}

/** How to run a program of Samba's. */
type Programs = { readonly inside: (program: string, ...args: string[]) => [string, ...string[]] }

async function programs(onProgress: OnProgress): Promise<Programs> {
  const installed: Programs = { inside: (program, ...args) => [findProgram(program) ?? program, ...args] }
  const isInstalled = () => findProgram('samba-tool') !== undefined && existsSync('/usr/share/samba/setup')
  if (findProgram('samba') !== undefined && isInstalled()) return installed
  if (!hasApt()) throw new StackError('samba', 'none is installed, and this system has no apt to fetch it with', todo)
  if (!(await hasMountNamespaces())) {
    await install(packages, onProgress).catch((error) => {
      throw new StackError('samba', `none is installed, and it could not be installed: ${error}`, todo)
    })
    return installed
  }
  const { root } = await unpack('samba', packages, onProgress).catch((error) => {
    throw new StackError('samba', `none is installed, and it could not be fetched: ${error}`, todo)
  })
  const overlay = 'mount -t overlay overlay -o "lowerdir=$0/usr:/usr" /usr && exec "$@"'
  return { inside: (program, ...args) => ['unshare', '--mount', 'sh', '-c', overlay, root, program, ...args] }
}

async function hasMountNamespaces(): Promise<boolean> {
  if (findProgram('unshare') === undefined) return false
  return run('unshare', ['--mount', 'true']).then(
    () => true,
    () => false, // no right, or / is no mount point
  )
}

/** A provisioned domain to copy: made once for a version of Samba. */
async function freshDomain({ inside }: Programs, onProgress: OnProgress): Promise<string> {
  const env = { ...noSync, PATH: `/usr/bin:/usr/sbin:/bin:/sbin:${process.env.PATH ?? ''}` }
  const runs = (program: string, ...args: string[]) => {
    const [command, ...rest] = inside(program, ...args)
    return run(command, rest, { env })
  }
  const call = (...args: string[]) => runs('samba-tool', ...args)
  const version = (await call('--version')).trim().split('\n').at(-1) ?? ''
  return cached(`samba-domain-${version}-${domainVersion}`, async (into) => {
    onProgress({ part: 'samba', text: 'creating the domain' })
    const passwords: Passwords = { administrator: password(), service: password() }
    await call(
      'domain',
      'provision',
      `--realm=${realm}`,
      `--domain=${netbios}`,
      '--server-role=dc',
      '--dns-backend=NONE',
      '--host-name=dc1',
      '--host-ip=127.0.0.1',
      `--adminpass=${passwords.administrator}`,
      '--use-rfc2307',
      `--targetdir=${into}`,
      `--option=posix:eadb=${join(into, 'private', 'eadb.tdb')}`,
    )
    const conf = join(into, 'etc', 'smb.conf')
    const at = ['-s', conf]
    await call('user', 'create', serviceAccount, passwords.service, ...at)
    // What is kept for longer than the 42 days of a password would refuse it.
    await call('user', 'setexpiry', serviceAccount, '--noexpiry', ...at)
    const sid = /^objectSid: (\S+)$/m.exec(await call('user', 'show', serviceAccount, '--attributes=objectSid', ...at))
    if (sid?.[1] === undefined) throw new StackError('samba', 'its service account has no SID', todo)
    const rights = delegated(sid[1])
    for (const unit of ['people', 'leavers', 'groups'] as const) {
      const dn = `OU=${units[unit]},${baseDn}`
      await call('ou', 'add', dn, ...at)
      await call('dsacl', 'set', `--objectdn=${dn}`, `--sddl=${rights[unit]}`, ...at)
    }
    const script = join(import.meta.dirname, 'samba-see-deleted.py')
    await runs('python3', script, conf, join(into, 'private', 'sam.ldb'), deletedObjects, seeing(sid[1]))
    writeFileSync(join(into, 'passwords.json'), JSON.stringify(passwords), { mode: 0o600 })
  })
}

/** Meets AD's complexity rule. */
function password(): string {
  return `aA1-${randomBytes(18).toString('base64url')}`
}
