/** A run of reconciliation meets the engine's own work at the same accounts, which locks them in another order. */
import { afterEach, expect, test } from 'vitest'
import { type House, openHouse } from '../../support/house.ts'
import { until } from '../../support/until.ts'
import { reconciled } from './behind-our-back.ts'
import { works } from './people.ts'

let house: House
afterEach(() => house.close())

test('whoever holds one account and wants another that the run has noted: the run gives way, and is made all the same', async () => {
  house = await openHouse({
    connector: (real) => ({
      ...real,
      manifest: { ...real.manifest, settleMs: 3_600_000 },
      indirectGrantsOf: async () => ({ kind: 'complete', items: [] }),
    }),
  })
  for (const person of ['P-1', 'P-2']) await house.tell(works(person, (await house.now()) - 1000))
  await house.quiesce()
  // Their names are kept from now on: nothing but what is noted of settling writes accounts in the runs below.
  await reconciled(house)
  const [first, second] = await house.rows<{ id: number }>('select id from muster.account order by id')
  /** How often the engine gave way. PostgreSQL ends whoever has waited for a second when it looks: on a slow machine the other. */
  const meet = async (): Promise<number> => {
    await house.rows('update muster.account set behind_at = null')
    const standing = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const other = house.admin.transaction(async (tx) => {
      await tx.query({ text: 'select 1 from muster.account where id = $1 for no key update', values: [second?.id] })
      standing.resolve()
      await goOn.promise
      await tx.query({ text: 'update muster.account set read_at = read_at where id = $1', values: [first?.id] })
    })
    await standing.promise
    const { repeats } = house.engine.db.counters
    const running = reconciled(house, { full: true })
    await Promise.race([running, house.waitingForALock()])
    goOn.resolve()
    expect(await running).toMatchObject({ indirectUnread: null })
    await other
    expect(await house.rows('select 1 from muster.account where behind_at is not null')).toHaveLength(2)
    return house.engine.db.counters.repeats - repeats
  }
  await until(async () => {
    const gaveWay = await meet()
    // Whoever has given way finds the other through, and nothing to wait for.
    expect(gaveWay).toBeLessThanOrEqual(1)
    return gaveWay === 1
  })
})
