import { afterAll, beforeAll, expect, test } from 'vitest'
import { muster } from '../support/cli.ts'
import { type ConfigDirectory, writeConfigDirectory } from '../support/config-directory.ts'
import { bankPolicies, type House, openHouse } from '../support/house.ts'

let house: House
let files: ConfigDirectory
beforeAll(async () => {
  house = await openHouse()
  files = writeConfigDirectory({
    database: house.database,
    tree: house.tree,
    policies: bankPolicies(house.tree.groups),
  })
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

test('before the first serve there is no target yet, and that is said', async () => {
  await house.rows('delete from muster.target')
  expect(await muster(files, 'target', 'mode', 'bank-ldap', 'enforce')).toMatchObject({
    exit: 1,
    err: expect.stringContaining('start `muster serve` once'),
  })
  expect((await muster(files, 'target', 'list')).out).toContain('no target yet')
})
