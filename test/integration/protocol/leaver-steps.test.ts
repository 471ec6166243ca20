/** What a target does to a leaver's account beyond shutting it: asked of leavers only, and told when it is not done. */
import { afterEach, expect, test } from 'vitest'
import type { Connector, Operation } from '../../../src/connectors/connector.ts'
import { type House, openHouse } from '../../support/house.ts'
import { auditOf, brokenLaws } from './laws.ts'
import { leaves, works } from './people.ts'

let house: House
let disables: Operation[]
afterEach(() => house.close())

/** The directory, and a step of the leave that it never gets done. */
const unfinished = (real: Connector): Connector => ({
  ...real,
  apply: async (operations, context) => {
    const outcomes = await real.apply(operations, context)
    return outcomes.map((outcome, index) => {
      const operation = operations[index]
      if (operation?.op !== 'disable') return outcome
      disables.push(operation)
      return outcome.kind === 'done' && operation.away !== true
        ? { ...outcome, unfinished: [{ code: '50', word: 'move-not-allowed', message: 'cn=Amit may not be moved' }] }
        : outcome
    })
  },
})

test('a leaver is shut, and what could not be done beside it is a finding that names nobody', async () => {
  disables = []
  house = await openHouse({ connector: unfinished })
  const start = await house.now()
  await house.tell(works('P-1', start - 1000))
  await house.tell(works('P-2', start - 1000))
  await house.quiesce()
  await house.tell(leaves('P-1', start))
  await house.tell({ ...works('P-2', start), status: 'leave' })
  await house.quiesce()
  expect(disables.map((operation) => ('away' in operation ? operation.away : undefined)).sort()).toEqual([false, true])
  expect((await house.account('P-1'))?.locked).toBe(true)
  expect((await house.account('P-2'))?.locked).toBe(true)
  const findings = await house.rows<{ detail: unknown; person_key: string }>(
    `select f.detail, i.person_key from muster.finding f join muster.identity i on i.id = f.identity_id where f.kind = 'leave-unfinished'`,
  )
  expect(findings).toEqual([{ detail: { target: 'bank-ldap', steps: 'move-not-allowed' }, person_key: 'P-1' }])
  const told = (await auditOf(house)).filter(({ body }) => body.kind === 'disable' && body.outcome === 'done')
  expect(told.map(({ body }) => body.unfinished ?? null).sort()).toEqual([['move-not-allowed'], null])
  expect(JSON.stringify(told)).not.toContain('Amit')
  expect(await brokenLaws(house)).toEqual([])
})
