/** What can go wrong around one group in Entra: a hand behind Muster's back, an emptied list, a feed that errs. */
import { musterAnswer, musterCommand } from './engine-process.ts'
import { eventually, isSo, NotSo, notYet } from './eventually.ts'
import type { Entra } from './everywhere/entra.ts'
import { held, releaseHold } from './guard-hold.ts'
import { dataOf, type HrMessage, hrMessage } from './hr-event.ts'
import type { EverywhereScene } from './scene.ts'

const team = 'Collections_Team'
const slipped = 'Lending_RM'
const collectors = Array.from({ length: 25 }, (_, at) => `C-${String(at + 1).padStart(3, '0')}`)
const aheadMs = 1_500
/** 40 % of them. */
const misread = collectors.slice(0, 10)

type Reconciled = {
  readonly complete: boolean
  readonly members: number
  readonly appeared: number
  readonly missing: number
  readonly shrunken: readonly { readonly key: string; readonly believed: number; readonly gone: number }[]
}

const saysOf = (person: string, id: string, jobCode: string, effectiveAt = Date.now()): HrMessage =>
  hrMessage(
    person,
    id,
    Date.now(),
    dataOf(
      {
        personKey: person,
        employmentKey: `${person}-1`,
        primary: true,
        workerType: 'employee',
        status: 'active',
        givenName: 'Collector',
        familyName: person,
        displayName: `Collector ${person}`,
        username: person.toLowerCase(),
        workEmail: `${person.toLowerCase()}@bank.example`,
        hireDate: '2026-11-01',
        lastDayOfWork: null,
        contractEndDate: null,
        involuntary: false,
        managerKey: 'P-0100',
        company: 'BANK-IN',
        department: 'COLLECTIONS',
        costCenter: '4712',
        location: 'Pune',
        country: 'IN',
        jobCode,
        jobTitle: 'Collector',
        jobLevel: '4',
        custom: {},
      },
      { effectiveAt: new Date(effectiveAt).toISOString() },
    ),
  )

export const collectorsJoin = async ({ world }: EverywhereScene): Promise<void> => {
  if (world.entra !== null)
    await world.hr.publish(collectors.map((person) => saysOf(person, `joins-${person}`, 'COLLECT')))
}

const hasSize = (entra: Entra, size: number) =>
  eventually(
    30,
    async () => {
      const found = await entra.size(team)
      return found === size ? isSo(found) : notYet(`${found} are in ${team}, expected ${size}`)
    },
    100,
  )

/** 1: the list was not believed, or not complete. */
const reconcileEntra = async ({ world }: EverywhereScene, exit: 0 | 1): Promise<Reconciled> => {
  const { code, out, err } = await musterAnswer(['reconcile', 'bank-entra', '--json'], world.env)
  if (code !== exit) throw new NotSo(`muster reconcile bank-entra: exit ${code}, expected ${exit}\n${err}${out}`)
  return JSON.parse(out) as Reconciled
}

export const handInEntra = async (scene: EverywhereScene): Promise<void> => {
  const { world, tell, verify } = scene
  const { entra } = world
  const [person = ''] = collectors
  if (entra === null) return
  tell.step('Somebody changes Entra behind Muster')
  await verify(`${collectors.length} collectors joined meanwhile; ${team} holds exactly them (${entra.by})`, () =>
    hasSize(entra, collectors.length),
  )
  // The first look at a group remembers what stands there.
  await verify(
    ({ members }) => `muster reconcile: ${members} members, all as Muster verified them`,
    async () => {
      const told = await reconcileEntra(scene, 0)
      if (told.appeared !== 0 || told.missing !== 0) throw new NotSo(JSON.stringify(told))
      return told
    },
  )
  await entra.add(slipped, [await entra.idOf(person)])
  tell.say(`An administrator puts ${person} into ${slipped} by hand. Its drift policy says: revert.`)
  await verify('muster reconcile finds that one change, and no other', async () => {
    const told = await reconcileEntra(scene, 0)
    if (told.appeared !== 1 || told.missing !== 0) throw new NotSo(JSON.stringify(told))
  })
  await verify(
    ({ outcome }) => `out again: decided, attempted and read back (action ${outcome.action_id}; ${entra.by} agrees)`,
    () =>
      eventually(
        20,
        async () => {
          const held = await entra.holds(person)
          if (held.includes(slipped)) return notYet(`still in ${held.join(', ')}`)
          return world.audit.chain(person, 'revoke', slipped)
        },
        50,
      ),
  )
}

export const nothingFromAnEmptyRead = async (scene: EverywhereScene): Promise<void> => {
  const { world, tell, verify } = scene
  const { entra } = world
  if (entra === null) return
  const ids = await entra.members(team)
  await entra.remove(team, ids)
  tell.say(`A tool empties ${team}. Is it so, or is the list wrong? Nothing may follow from it.`)
  await verify(
    ({ gone, believed }) => `muster reconcile refuses it: ${gone} of ${believed} are not listed; exit 1`,
    async () => {
      const told = await reconcileEntra(scene, 1)
      const one = told.shrunken.find(({ key }) => key === team)
      if (one === undefined || told.missing !== 0) throw new NotSo(JSON.stringify(told))
      return one
    },
  )
  await entra.add(team, ids)
  await verify('the members are back, and the next reconcile believes the list again', async () => {
    const told = await reconcileEntra(scene, 0)
    if (!told.complete || told.appeared !== 0 || told.missing !== 0) throw new NotSo(JSON.stringify(told))
  })
}

export const theFeedGoesWrong = async ({ world, tell, verify }: EverywhereScene): Promise<void> => {
  const { entra, audit } = world
  if (entra === null) return
  tell.step(`HR's feed goes wrong: 40 % of ${team} lose their job code`)
  // Effective at one moment, as from one file of HR's.
  const effectiveAt = Date.now() + aheadMs
  await world.hr.publish(misread.map((person) => saysOf(person, `wrong-${person}`, 'UNKNOWN', effectiveAt)))
  const { hold } = await verify(
    ({ hold, detail }) =>
      `the guard holds it (hold ${hold}): ${detail.count} revokes of one group, ${detail.allowed} are allowed without a human`,
    () =>
      eventually(20, async () => {
        const hold = await audit.guardHold(team)
        if (hold === undefined) return notYet(`nothing of ${team} is held`)
        return hold.detail.count === misread.length ? isSo(hold) : notYet(JSON.stringify(hold))
      }),
    (hold) => hold,
  )
  for (const other of await audit.openGuardHolds())
    if (other.hold !== hold)
      tell.say(
        `So many are also too much for the whole target: its limit ${other.limit} tripped, too (hold ${other.hold}).`,
      )
  await verify(`nobody was taken out: ${collectors.length} are in it (${entra.by})`, async () => {
    const found = await entra.size(team)
    if (found !== collectors.length) throw new NotSo(`${found} are in it`)
  })
  const words = ['show', 'hold', hold]
  const shown = await verify('and Muster says what waits:', () => musterCommand(words, world.env))
  tell.show('hold', [`$ npx muster ${words.join(' ')}`, ...shown], shown)
}

export const theFeedIsRight = async ({ world, tell, verify }: EverywhereScene): Promise<void> => {
  const { entra, audit, env } = world
  if (entra === null) return
  tell.step('HR sends it right')
  await world.hr.publish(misread.map((person) => saysOf(person, `right-${person}`, 'COLLECT')))
  const holds = await audit.openGuardHolds()
  await verify('what was held is no longer wanted, and gone', () =>
    eventually(
      30,
      async () => {
        const waiting = await Promise.all(holds.map(({ hold }) => held(hold, env)))
        const actions = waiting.reduce((sum, one) => sum + one.actions, 0)
        return actions === 0 ? isSo(true) : notYet(`${actions} actions are held`)
      },
      100,
    ),
  )
  for (const { hold, limit } of holds)
    await verify(`a human opens the guard again: hold ${hold} (${limit}) released, nothing goes out`, async () => {
      const actions = await releaseHold(hold, 'HR corrected its feed', env)
      if (actions !== 0) throw new NotSo(`${actions} actions went out`)
    })
  await verify(
    `${collectors.length} are in ${team} (${entra.by}), and none of the ten was ever attempted`,
    async () => {
      const found = await entra.size(team)
      if (found !== collectors.length) throw new NotSo(`${found} are in it`)
      for (const person of misread)
        for (const row of await audit.trail(person))
          if (row.kind === 'attempt' && row.operation === 'revoke' && row.entitlement === team)
            throw new NotSo(`a revoke of ${person} was attempted`)
    },
  )
}
