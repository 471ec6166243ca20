import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Attribute, Change, Client, InvalidCredentialsError } from 'ldapts'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { writeLdapScripts } from '../../../scripts/stack/ldap-scripts.ts'
import { ldapsearch } from '../../../scripts/stack/slapd.ts'
import type { Stack } from '../../../scripts/stack/stack.ts'
import {
  addresses,
  asDirectoryRoot,
  databaseIn,
  freshDatabase,
  freshTopic,
  freshTree,
  privateStack,
} from '../../support/stack.ts'

const stacks: Stack[] = []
afterAll(() => Promise.all(stacks.map((stack) => stack.stop({ discard: true }))))

async function rows(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

test('each test file has a migrated database, and connects as the engine and as an auditor', async () => {
  const one = await freshDatabase()
  const other = await freshDatabase()
  expect(await rows(one.engineUrl, 'select current_user as me, current_database() as here')).toEqual([
    { me: 'muster_engine', here: one.name },
  ])
  expect(await rows(other.auditorUrl, 'select current_user as me')).toEqual([{ me: 'muster_auditor' }])
  expect(await rows(one.adminUrl, 'show server_encoding')).toEqual([{ server_encoding: 'UTF8' }])
  // A commit is in the kernel before it is answered, so a killed server loses none; only nobody waits for the disk.
  expect(
    await rows(
      one.adminUrl,
      `select setting from pg_settings where name in ('fsync', 'synchronous_commit') order by name`,
    ),
  ).toEqual([{ setting: 'off' }, { setting: 'on' }])
  await one.drop()
  await other.drop()
  expect(
    await rows(
      addresses().databaseUrl,
      `select datname from pg_database where datname in ('${one.name}', '${other.name}')`,
    ),
  ).toEqual([])
})

test('topics have the partitions asked for', async () => {
  const { topic } = await freshTopic(3)
  expect(topic).toMatch(/^t[0-9a-f]{12}$/)
})

test('the directory refuses the bind of a locked account, and the service account may lock it', async () => {
  const { ldap } = addresses()
  const tree = await freshTree()
  const dn = `uid=amit,${tree.people}`
  const tlsOptions = { ca: [readFileSync(ldap.caFile)] }
  const service = new Client({ url: ldap.url, tlsOptions })
  await service.bind(ldap.serviceDn, ldap.servicePassword)
  await service.add(dn, {
    objectClass: 'inetOrgPerson',
    uid: 'amit',
    cn: 'Amit',
    sn: 'R',
    userPassword: 'before-the-lock',
  })
  const signIn = async () => {
    const person = new Client({ url: ldap.url, tlsOptions })
    try {
      await person.bind(dn, 'before-the-lock')
    } finally {
      await person.unbind()
    }
  }
  await signIn()
  const lock = new Attribute({ type: 'pwdAccountLockedTime', values: ['000001010000Z'] })
  await service.modify(dn, new Change({ operation: 'replace', modification: lock }))
  await expect(signIn()).rejects.toThrow(InvalidCredentialsError)
  const stored = await service.search(dn, { scope: 'base', attributes: ['userPassword'] })
  expect(String(stored.searchEntries[0]?.userPassword)).toMatch(/^\{SSHA\}/)
  await service.unbind()
})

test('the certificate of the directory is refused without its authority', async () => {
  const stranger = new Client({ url: addresses().ldap.url, connectTimeout: 5000 })
  await expect(stranger.bind('', '')).rejects.toThrow(/certificate/)
  await stranger.unbind()
})

test('ldapsearch, the witness, sees what is there', async () => {
  const { ldap } = addresses()
  const tree = await freshTree()
  const { command, env } = await ldapsearch()
  const args = [
    '-x',
    '-LLL',
    '-H',
    ldap.url,
    '-D',
    ldap.serviceDn,
    '-w',
    ldap.servicePassword,
    '-b',
    tree.dn,
    '(ou=*)',
    'ou',
  ]
  const { stdout } = await promisify(execFile)(command, args, {
    env: { ...process.env, ...env, LDAPTLS_CACERT: ldap.caFile },
  })
  expect(stdout.match(/^dn: /gm)).toHaveLength(3)
})

test('the directory by hand: two files to run, whatever is in PATH, and only by their owner', async () => {
  const tree = await freshTree()
  const dir = mkdtempSync(join(tmpdir(), "muster's-"))
  try {
    const files = await writeLdapScripts(dir, addresses().ldap)
    const ldif = `dn: ou=more,${tree.dn}\nchangetype: add\nobjectClass: organizationalUnit\n`
    execFileSync(files.modify, [], { input: ldif, env: { PATH: '/usr/bin:/bin' }, stdio: 'pipe' })
    const found = execFileSync(files.search, ['-b', tree.dn, '(ou=more)', '1.1'], { env: {}, encoding: 'utf8' })
    expect(found.trim()).toBe(`dn: ou=more,${tree.dn}`)
    expect(Object.values(files).map((file) => statSync(file).mode & 0o077)).toEqual([0, 0, 0])
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('a private part survives SIGKILL and restart on the same port with its data', async () => {
  const stack = await privateStack(['postgres', 'slapd', 'redis'])
  stacks.push(stack)
  const database = await databaseIn(stack)
  const tree = await freshTree(stack.ldap)
  for (const part of ['postgres', 'slapd', 'redis'] as const) {
    const control = stack.part(part)
    const before = control.pid
    expect(before).toBeGreaterThan(0)
    await control.kill('SIGSTOP')
    await control.kill('SIGCONT')
    await control.kill('SIGKILL')
    expect(control.pid).toBeUndefined()
    await control.restart()
    expect(control.pid).not.toBe(before)
  }
  expect(await rows(database.engineUrl, 'select 1 as one')).toEqual([{ one: 1 }])
  const found = await asDirectoryRoot(stack.ldap, (client) => client.search(tree.dn, { attributes: ['ou'] }))
  expect(found.searchEntries).toHaveLength(3)
})

test('the memberof variant keeps back-links, and other lines reach slapd.conf', async () => {
  const stack = await privateStack(['slapd'], {
    memberof: true,
    globalLines: ['idletimeout 3600'],
    databaseLines: ['sizelimit 2'],
  })
  stacks.push(stack)
  const tree = await freshTree(stack.ldap)
  await asDirectoryRoot(stack.ldap, async (client) => {
    const dn = `uid=amit,${tree.people}`
    await client.add(dn, { objectClass: 'inetOrgPerson', uid: 'amit', cn: 'Amit', sn: 'R' })
    await client.add(`cn=lenders,${tree.groups}`, { objectClass: 'groupOfNames', cn: 'lenders', member: dn })
    const { searchEntries } = await client.search(dn, { scope: 'base', attributes: ['memberOf'] })
    expect(searchEntries[0]?.memberOf).toBe(`cn=lenders,${tree.groups}`)
  })
})
