import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ConfigDirectory, writeConfigDirectory } from '../support/config-directory.ts'
import { bankPolicies, type House, openHouse } from '../support/house.ts'
import { type ServeProcess, startServe } from '../support/serve-process.ts'
import { until } from '../support/until.ts'

let house: House
let files: ConfigDirectory
let serve: ServeProcess | undefined
beforeAll(async () => {
  house = await openHouse()
  files = writeConfigDirectory({
    database: house.database,
    tree: house.tree,
    policies: bankPolicies(house.tree.groups),
    file: { log: { level: 'info' } },
  })
})
afterAll(async () => {
  await serve?.stop()
  files.remove()
  await house.close()
})

test('serves both lanes, and stops in order when told to', async () => {
  serve = await startServe(files, { args: ['--roles', 'evaluate,dispatch,provision,schedule'] })
  const start = await house.now()
  await house.tell({
    person: 'P-1',
    effectiveAt: start - 1000,
    attributes: { jobCode: 'RM', department: 'LENDING', country: 'IN' },
  })
  await until(async () => (await house.groupsOf('P-1')).includes('CBS_LoanEntry'))
  await house.tell({ person: 'P-1', effectiveAt: start + 1, status: 'terminated' })
  await until(async () => (await house.account('P-1'))?.locked)
  await until(async () => (await house.groupsOf('P-1')).length === 0)
  expect(await serve.stop()).toBe(0)
  expect(serve.lines.filter((line) => line.includes('"msg":"stopped"'))).toHaveLength(2)
})
