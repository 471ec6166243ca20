import { afterAll, beforeAll, expect, test } from 'vitest'
import { bankFiles } from '../support/bank-files.ts'
import { muster } from '../support/cli.ts'
import type { ConfigDirectory } from '../support/config-directory.ts'
import { type House, openHouse } from '../support/house.ts'
import { resolved } from './protocol/behind-our-back.ts'

let house: House
let files: ConfigDirectory
beforeAll(async () => {
  house = await openHouse()
  files = bankFiles(house)
})
afterAll(async () => {
  files.remove()
  await house.close()
})

test('whoever names what is not there is told where to look', async () => {
  for (const line of [
    ['audit', 'log', 'P-9'],
    ['show', 'identity', 'P-9'],
    ['show', 'action', '9'],
    ['show', 'dispatch', '9'],
    ['show', 'hold', '9'],
    ['show', 'entitlement', 'nothing'],
    ['quarantine', 'show', 'hr/0/1'],
  ])
    expect({ line, ...(await muster(files, ...line)) }).toMatchObject({
      line,
      exit: 1,
      err: expect.stringMatching(/\n {2}→ \S/),
    })
})

test('a target or a kind of finding that there is not is usage; one that there is and has no finding is none', async () => {
  const told = async (...line: string[]) => {
    const { exit, out, err } = await muster(files, 'finding', 'list', ...line)
    return [exit, out + err]
  }
  expect(await told('--target', 'nope')).toEqual([2, expect.stringMatching(/has no target nope\n +→ it has bank-ldap/)])
  expect(await told('--kind', 'grant-mising')).toEqual([
    2,
    expect.stringMatching(/no kind of finding grant-mising\n +→ did you mean grant-missing\?/),
  ])
  expect(await told('--target', 'bank-ldap', '--kind', 'grant-missing')).toEqual([
    0,
    'no open finding of kind grant-missing of bank-ldap\n',
  ])
  // A target of the past, which muster.yaml names no more.
  await house.rows(
    "insert into muster.target (id, mode, mode_set_by) select 'past', mode, mode_set_by from muster.target limit 1",
  )
  expect(await told('--target', 'past')).toEqual([0, 'no open finding of past\n'])
  // Both sides of a conflict are held, one here and one there.
  await house.rows(`insert into muster.finding (kind, key, detail, opened_at, seen_at)
    values ('sod-violation', 'x:maker-checker', '{"policy": "maker-checker", "targets": "bank-ldap past"}', now(), now())`)
  for (const target of ['bank-ldap', 'past'])
    expect(await told('--target', target)).toEqual([0, expect.stringContaining('maker-checker')])
  await house.rows("delete from muster.finding where key = 'x:maker-checker'")
  await house.rows("delete from muster.target where id = 'past'")
})

test('where nothing is known nothing is said to be in order', async () => {
  const told = async (...line: string[]) => (await muster(files, ...line)).out
  for (const line of [
    ['reconcile', 'bank-ldap'],
    ['adopt', 'plan', 'bank-ldap'],
  ] as const) {
    const said = await told(...line)
    expect(said).toMatch(/nothing is known yet, for no account there is linked to anybody/)
    expect(said).not.toMatch(/✓|nothing stands there/)
  }
  // Whoever goes on from here by what a script was told goes on from nothing.
  expect((await muster(files, 'adopt', 'plan', 'bank-ldap')).exit).toBe(1)
  expect(await muster(files, 'adopt', 'apply', 'bank-ldap', '--reason', 'stood there')).toMatchObject({
    exit: 1,
    err: expect.stringMatching(/nothing of bank-ldap can be adopted\n +→ nothing is known yet/),
  })
  // Not what was just done.
  expect(await told('reconcile', 'bank-ldap')).not.toContain('`muster reconcile')
  await house.tell({
    person: 'P-1',
    effectiveAt: (await house.now()) - 1000,
    attributes: { jobCode: 'RM', department: 'LENDING', country: 'IN' },
  })
  await house.evaluateAll()
  expect(await told('reconcile', 'bank-ldap')).toMatch(
    /1 person who should hold something there and has no account linked/,
  )
  expect(await told('account', 'list', 'bank-ldap')).toMatch(/P-1 +\d+ entitlements.*to be made/)
  await house.quiesce()
  await resolved(house)
  expect(await told('reconcile', 'bank-ldap')).toMatch(/✓ nothing changed behind Muster/)
  expect(await told('adopt', 'plan', 'bank-ldap')).toMatch(/nothing stands there that Muster never gave/)
})

test('members whom nobody knows are called there what people call them, for who asks; and a finding tells its age', async () => {
  const dn = `uid=stranger,${house.tree.people}`
  await house.addAccount('', { uid: 'stranger' })
  await house.addMemberAt(dn, 'App_Crm')
  await muster(files, 'reconcile', 'bank-ldap')
  await house.rows("update muster.finding set opened_at = opened_at - interval '75 minutes'")
  const told = (from: typeof files, ...more: string[]) =>
    muster(from, 'finding', 'list', '--kind', 'members-uncorrelated', ...more)
  const { out } = await told(files)
  expect(out).toMatch(/ bank-ldap:App_Crm .* 1 h +20\S+ +20\S+ +1 .*accounts=[-0-9a-f]{36} /)
  expect((await told(files, '--names')).out).toContain(` accounts=${dn} `)
  const id = /accounts=(\S+)/.exec(out)?.[1] ?? ''
  expect((await told(files, '--names', '--json')).json()).toMatchObject([
    { ageSeconds: expect.any(Number), detail: { accounts: id }, accountNames: { [id]: dn } },
  ])
  const away = { ...files, env: { ...files.env, MUSTER_LDAP_URL: 'ldaps://127.0.0.1:1' } }
  expect(await told(away, '--names')).toMatchObject({
    exit: 0,
    out: expect.stringMatching(
      new RegExp(`accounts=${id} [\\s\\S]*bank-ldap: names could not be read \\(.*ECONNREFUSED`),
    ),
  })
})

test('a target that answers nothing: nobody is told that all is well there, and why is said', async () => {
  const away = { ...files, env: { ...files.env, MUSTER_LDAP_URL: 'ldaps://127.0.0.1:1' } }
  await house.rows('update muster.entitlement set native_id = null, asked_key = null')
  const said = await muster(away, 'reconcile', 'bank-ldap')
  expect(said).toMatchObject({
    exit: 1,
    out: expect.stringMatching(/✗ not read \(connect-failed \(ECONNREFUSED\)\), so nothing follows: \d+ entitlements/),
  })
  expect(said.out).not.toContain('✓')
  const one = await muster(away, 'link', 'P-1', 'bank-ldap', String(await house.idOf('P-1')), '--reason', 'theirs')
  expect(one.err).toMatch(/connect-failed \(ECONNREFUSED\)/)
  // The target knows them, and nobody has asked it yet.
  expect(await muster(files, 'reconcile', 'bank-ldap')).toMatchObject({
    exit: 1,
    out: expect.stringContaining('not resolved yet'),
  })
  await muster(files, 'target', 'mode', 'bank-ldap', 'plan')
  expect((await muster(files, 'target', 'mode', 'bank-ldap', 'enforce')).out).toMatch(
    /→ enforce[\s\S]*1 account linked; (\d+) entitlements in the catalogue: \1 not resolved, 0 never listed[\s\S]*seems to be missing/,
  )
})

test('a grant that waits for an account says so', async () => {
  await house.tell({
    person: 'P-6',
    effectiveAt: (await house.now()) - 1000,
    attributes: { jobCode: 'RM', department: 'LENDING' },
  })
  await house.evaluateAll()
  expect((await muster(files, 'why', 'P-6', 'CBS_LoanEntry')).out).toContain(
    'its grant waits for an account of theirs on bank-ldap: none is linked',
  )
  await house.quiesce()
  expect((await muster(files, 'why', 'P-6', 'CBS_LoanEntry')).out).not.toContain('waits for an account')
})

test('before the first serve there is no target yet, and that is said', async () => {
  await house.rows('delete from muster.target')
  for (const line of [
    ['reconcile', 'bank-ldap'],
    ['adopt', 'plan', 'bank-ldap'],
  ] as const)
    expect((await muster(files, ...line)).out).toMatch(/never started with it: start `muster serve` once/)
  expect(await muster(files, 'target', 'mode', 'bank-ldap', 'enforce')).toMatchObject({
    exit: 1,
    err: expect.stringContaining('start `muster serve` once'),
  })
  expect((await muster(files, 'target', 'list')).out).toContain('no target yet')
})
