import { afterAll, beforeAll, expect, test } from 'vitest'
import { roles } from '../../src/app/roles.ts'
import { type App, createApp } from '../../src/app.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { bankFiles } from '../support/bank-files.ts'
import type { ConfigDirectory } from '../support/config-directory.ts'
import { type House, openHouse } from '../support/house.ts'
import { until } from '../support/until.ts'

let house: House
let files: ConfigDirectory
let config: Config
let bulk: App
let leaver: App
beforeAll(async () => {
  house = await openHouse()
  files = bankFiles(house)
  const loaded = loadConfig(files.directory, files.env)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  config = loaded.value
  bulk = await createApp(config, {
    roles: roles.filter((role) => role !== 'ingest'),
    lanes: ['bulk'],
    name: 'muster-bulk',
  })
  leaver = await createApp(config, {
    roles: ['evaluate', 'dispatch', 'provision'],
    lanes: ['leaver'],
    name: 'muster-leaver',
  })
  await bulk.start()
  await leaver.start()
})
afterAll(async () => {
  await Promise.all([bulk.stop(), leaver.stop()])
  files.remove()
  await house.close()
})

test('both lanes run by themselves: joins, moves, leaves', async () => {
  const start = await house.now()
  await house.tell({
    person: 'P-1',
    effectiveAt: start - 1000,
    attributes: { jobCode: 'RM', department: 'LENDING', country: 'IN' },
  })
  await until(async () => (await house.groupsOf('P-1')).includes('CBS_LoanEntry'))

  await house.tell({
    person: 'P-1',
    effectiveAt: start,
    attributes: { jobCode: 'CA', department: 'LENDING', country: 'IN' },
  })
  await until(async () => (await house.groupsOf('P-1')).includes('CBS_LoanApprove'))
  expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanEntry')

  await house.tell({ person: 'P-1', effectiveAt: start + 1, status: 'terminated' })
  await until(async () => (await house.account('P-1'))?.locked)
  await until(async () => (await house.groupsOf('P-1')).length === 0)
  // The directory shows a change a moment before its outcome is committed.
  await until(async () => {
    const [open] = await house.rows<{ n: number }>(
      `select count(*) as n from muster.action where state not in ('done', 'superseded')`,
    )
    return open?.n === 0
  })
})
