/** The same joiner, mover and leaver on every kind of target, by an engine of its own (examples/everywhere). */
import { isDeepStrictEqual } from 'node:util'
import type { Cleanup } from './cleanup.ts'
import { musterCommand } from './engine-process.ts'
import { eventually, isSo, NotSo, notYet } from './eventually.ts'
import { otherTargets } from './everywhere/places.ts'
import type { Witness } from './everywhere/witness.ts'
import { type EverywhereWorld, openEverywhere } from './everywhere/world.ts'
import { storyEvent } from './hr-event.ts'
import type { EverywhereScene, Scene } from './scene.ts'
import { amit } from './story-amit.ts'
import {
  collectorsJoin,
  handInEntra,
  nothingFromAnEmptyRead,
  theFeedGoesWrong,
  theFeedIsRight,
} from './story-collections.ts'
import { textTable } from './text-table.ts'

type Held = Readonly<Record<string, readonly string[]>>
/** What examples/everywhere gives, written down by hand. */
const asManager: Held = {
  'bank-ldap': ['Dept_Lending', 'Staff_Intranet'],
  'bank-ad': ['CBS_LoanEntry', 'CBS_ViewOnly'],
  'bank-entra': ['Lending_RM'],
  'bank-aws': ['Aws_LoanDesk', 'Loan_ReadOnly'],
  'bank-iam': ['Iam_LoanQuotes'],
}
const asApprover: Held = {
  'bank-ldap': ['Dept_Lending', 'Staff_Intranet'],
  'bank-ad': ['CBS_LoanApprove', 'CBS_ViewOnly'],
  'bank-entra': ['Credit_Committee'],
  'bank-aws': ['Aws_LoanDecisions', 'Loan_ReadOnly'],
  'bank-iam': ['Iam_LoanRisk'],
}
/** Why Muster shuts no account there. */
const staysOpen: Readonly<Record<string, string>> = {
  'bank-aws': 'stays (AWS disables nobody)',
  'bank-iam': 'none (a name in a role)',
}

export const everywhere = async (scene: Scene, ending: Cleanup): Promise<EverywhereWorld> => {
  const { tell, verify } = scene
  tell.step('One person, every target')
  tell.say(
    'Another engine begins here, with a database and places of its own (examples/everywhere): Amit is new to it, and',
  )
  tell.say(
    'its numbers start anew. OpenLDAP and Samba AD are real; Entra ID and AWS are simulators, asked by the vendors’ clients.',
  )
  const places = await scene.world.waitForPlaces()
  for (const { target, ...place } of places)
    if (place.stack === null)
      tell.say(
        `Left out: ${otherTargets[target].label} (${otherTargets[target].by}): ${place.why.replaceAll(/\n\s*/g, ' ')}`,
      )
  const world = await openEverywhere(scene.world, places, ending)
  const here: EverywhereScene = { ...scene, world }
  const doctor = await verify('muster doctor finds every part and every target in order:', () =>
    musterCommand(['doctor'], world.env),
  )
  tell.show(
    'doctor',
    ['$ npx muster doctor', ...doctor.filter((line) => !/policies|redis|kafka|database|engine/.test(line))],
    doctor,
  )
  await Promise.race([tellIt(here), world.engine.died])
  return world
}

const tellIt = async (scene: EverywhereScene): Promise<void> => {
  const { world, tell, verify } = scene
  await collectorsJoin(scene)
  await world.hr.publish([storyEvent('01-amit-joins', Date.now(), Date.now())])
  for (const witness of world.witnesses)
    await verify(`Amit joins ${witness.label}: ${told(asManager, witness)} (${witness.by})`, () =>
      shows(witness, amit, asManager[witness.target] ?? []),
    )
  await reaches(scene, amit, [readers])
  await verify('each grant decided, attempted and read back, says the audit log', () =>
    proved(scene, 'grant', asManager),
  )

  tell.step('He moves, everywhere')
  await world.hr.publish([storyEvent('02-amit-moves', Date.now(), Date.now())])
  for (const witness of world.witnesses)
    await verify(`${witness.label}: ${changed(witness)} (${witness.by})`, () =>
      shows(witness, amit, asApprover[witness.target] ?? []),
    )
  await entryGoneBeforeApproval(scene)
  await handInEntra(scene)
  await nothingFromAnEmptyRead(scene)
  await theFeedGoesWrong(scene)
  await amitLeavesEverywhere(scene)
  await theFeedIsRight(scene)
  await verify('no urgent finding is open', () =>
    eventually(20, async () => {
      const urgent = (await world.audit.findings()).filter((finding) => finding.urgent)
      return urgent.length === 0 ? isSo(true) : notYet(urgent.map(({ kind, key }) => `${kind} ${key}`).join(', '))
    }),
  )
}

const told = (held: Held, { target }: Witness): string => (held[target] ?? []).join(', ')

const changed = ({ target }: Witness): string => {
  const [before, after] = [asManager[target] ?? [], asApprover[target] ?? []]
  const goes = before.filter((key) => !after.includes(key))
  const comes = after.filter((key) => !before.includes(key))
  const stays = after.filter((key) => before.includes(key))
  const parts = [
    ...(goes.length > 0 ? [`${goes.join(', ')} goes`] : []),
    ...(comes.length > 0 ? [`${comes.join(', ')} comes`] : []),
    ...(stays.length > 0 ? [`${stays.join(', ')} ${stays.length > 1 ? 'stay' : 'stays'}`] : []),
  ]
  return parts.join(', ')
}

/** Exactly these, and an account that is open. */
const shows = (witness: Witness, person: string, keys: readonly string[]) =>
  eventually(
    30,
    async () => {
      const [held, account] = [await witness.holds(person), await witness.account(person)]
      const isOpen = account === 'open' || account === 'always-open'
      return isOpen && isDeepStrictEqual(held, keys)
        ? isSo(held)
        : notYet(`${witness.label}: account ${account}, ${held.join(', ') || 'nothing'}; expected ${keys.join(', ')}`)
    },
    50,
  )

/** A group of Identity Center is worth what is assigned to it. */
const readers = 'Loan_ReadOnly'

const reaches = async ({ world: { aws }, verify }: EverywhereScene, person: string, groups: readonly string[]) => {
  if (aws === null) return
  const wanted = groups.map(aws.through)
  await verify(`${aws.label}: he reaches ${wanted.join(', ') || 'nothing by a group'} (${aws.by})`, async () => {
    const reached = await aws.reaches(person)
    if (!isDeepStrictEqual(reached, wanted)) throw new NotSo(`he reaches ${reached.join(', ') || 'nothing'}`)
  })
}

/** Law L7 for each of these, on the targets that are here. */
const proved = async ({ world }: EverywhereScene, operation: string, held: Held) => {
  for (const { target } of world.witnesses)
    for (const key of held[target] ?? []) await eventually(20, () => world.audit.chain(amit, operation, key))
}

const entryGoneBeforeApproval = async ({ world, verify }: EverywhereScene): Promise<void> => {
  const has = (target: string) => world.witnesses.some((witness) => witness.target === target)
  const sides = [
    ...(has('bank-ad') ? [{ entry: 'CBS_LoanEntry', approval: 'CBS_LoanApprove' }] : []),
    ...(has('bank-aws') ? [{ entry: 'Aws_LoanDesk', approval: 'Aws_LoanDecisions' }] : []),
  ]
  if (sides.length === 0) return
  const names = (side: 'entry' | 'approval') => sides.map((one) => one[side]).join(' and ')
  await verify(
    `audit: ${names('approval')} attempted only after ${names('entry')} ${sides.length > 1 ? 'were both' : 'was'} verified gone, on whatever target`,
    async () => {
      const gone = await Promise.all(
        sides.map(({ entry }) => eventually(20, () => world.audit.chain(amit, 'revoke', entry))),
      )
      const given = await Promise.all(
        sides.map(({ approval }) => eventually(20, () => world.audit.chain(amit, 'grant', approval))),
      )
      const lastGone = Math.max(...gone.map(({ outcome }) => Number(outcome.id)))
      const early = given.find(({ attempted }) => Number(attempted.id) < lastGone)
      if (early !== undefined) throw new NotSo(`${early.outcome.entitlement} was attempted before that`)
    },
  )
}

const amitLeavesEverywhere = async (scene: EverywhereScene): Promise<void> => {
  const { world, tell, verify } = scene
  tell.step('Amit leaves, everywhere')
  if (world.entra !== null) tell.say('The guard still holds revokes in Entra. A single urgent leaver passes it.')
  await world.hr.publish([storyEvent('05-amit-leaves', Date.now(), Date.now())])
  const targets = world.witnesses.map(({ target }) => target)
  const times = await verify(
    "on every target: account shut where it can be, all that he held revoked, read back; from HR's event in Kafka:",
    () => eventually(60, () => world.audit.leaverByTarget(amit, targets), 25),
    (rows) => ({ targets: rows }),
  )
  tell.show(
    'leaver',
    textTable(
      ['target', 'account', 'revoked', 'finished after'],
      times.map(({ target, disabled, revokes, ms }) => [
        target,
        disabled ? 'shut' : (staysOpen[target] ?? 'stays'),
        String(revokes),
        `${ms} ms`,
      ]),
    ),
    times,
  )
  for (const witness of world.witnesses)
    await verify(`${witness.label}: he holds nothing (${witness.by})`, async () => {
      const [held, account] = [await witness.holds(amit), await witness.account(amit)]
      if (held.length > 0 || account === 'open' || account === 'none')
        throw new NotSo(`account ${account}, holds ${held.join(', ') || 'nothing'}`)
    })
  await reaches(scene, amit, [])
  await verify('each revoke decided, attempted and read back, says the audit log', () =>
    proved(scene, 'revoke', asApprover),
  )
}
