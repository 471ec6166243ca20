import { afterAll, beforeAll, expect, test } from 'vitest'
import { bankFiles } from '../support/bank-files.ts'
import { muster } from '../support/cli.ts'
import type { ConfigDirectory } from '../support/config-directory.ts'
import { type House, openHouse } from '../support/house.ts'

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
  await house.tell({
    person: 'P-1',
    effectiveAt: (await house.now()) - 1000,
    attributes: { jobCode: 'RM', department: 'LENDING', country: 'IN' },
  })
  await house.quiesce()
  expect(await told('reconcile', 'bank-ldap')).toMatch(/✓ nothing changed behind Muster/)
  expect(await told('adopt', 'plan', 'bank-ldap')).toMatch(/nothing stands there that Muster never gave/)
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
