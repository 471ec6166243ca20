/** A quiet day and a day with 1 % drift: reconciliation against ldapts reading the same groups. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { checkout } from '../../scripts/stack/download.ts'
import { asDirectoryRoot } from '../house/bench-stack.ts'
import { changeMembers, type Estate, groupName, groupsOf, openEstate, readRaw } from '../house/estate.ts'
import { accountDn, persons } from '../house/people.ts'
import { openReconciling, type Reconciling } from '../house/reconciling.ts'
import { VoidRun } from '../house/witness.ts'
import { spreadOf } from '../measure/spread.ts'
import { rangeText } from '../report/figures.ts'
import type { Bench, Line } from '../row.ts'

const driftShare = 0.01

export const reconcileLines = async (bench: Bench): Promise<readonly Line[]> => {
  const { pairs, ...size } = bench.scale.reconcile
  const estate = await openEstate(bench.stack, size)
  const reconciling = openReconciling(estate.env)
  try {
    await quiet(reconciling, estate, true) // the first lists; whatever is compiled and cached then is
    const rounds: { raw: number; delta: number }[] = []
    const everything: { raw: number; full: number }[] = []
    for (let pair = 0; pair < pairs; pair++) {
      const raw = await timed(() => rawRead(estate))
      everything.push({ raw, full: await timed(() => quiet(reconciling, estate, true)) })
    }
    for (let pair = 0; pair < pairs; pair++) {
      const raw = await timed(() => rawRead(estate))
      rounds.push({ raw, delta: await timed(() => quiet(reconciling, estate, false)) })
    }
    const memory = await memoryOf(estate)
    const drift = await driftFound(reconciling, estate)
    const people = `${size.people.toLocaleString('en')} people, ${estate.memberships.toLocaleString('en')} memberships in ${size.groups} groups`
    const times = (of: readonly { raw: number }[], mine: readonly number[]) => [
      `ldapts ${rangeText(
        of.map(({ raw }) => raw),
        'ms',
      )}, Muster ${rangeText(mine, 'ms')}`,
    ]
    const against = 'ldapts as it comes: one search that reads the members of the same groups, nothing compared'
    return [
      {
        what: `no-op reconcile by the change log, ${people}`,
        against,
        value: spreadOf(rounds.map(({ raw, delta }) => delta / raw)),
        unit: '×',
        goal: { reach: 3, aim: 1.5, better: 'less' },
        details: times(
          rounds,
          rounds.map(({ delta }) => delta),
        ),
        samples: rounds,
      },
      {
        what: `no-op reconcile that reads everything (once a day), accounts included, ${people}`,
        against,
        value: spreadOf(everything.map(({ raw, full }) => full / raw)),
        unit: '×',
        goal: null,
        details: times(
          everything,
          everything.map(({ full }) => full),
        ),
        samples: everything,
      },
      {
        what: `reconcile with ${driftShare * 100} % injected drift: share of what it told and of what was injected that is the same`,
        against: 'the list of injected changes',
        value: { median: drift.share, min: drift.share, max: drift.share, n: 1 },
        unit: 'share',
        goal: { reach: 1, aim: 1, better: 'more' },
        details: [`${drift.injected} changes, ${drift.told} told, ${drift.ms.toFixed(0)} ms`],
        samples: drift,
      },
      {
        what: `resident memory of a process that reconciles all of it, ${people}`,
        against: 'the highest that the kernel saw, the start included',
        value: { median: memory, min: memory, max: memory, n: 1 },
        unit: 'MB',
        goal: { reach: 400, aim: 400, better: 'less' },
        details: [],
        samples: memory,
      },
    ]
  } finally {
    await reconciling.close()
    await estate.leave()
  }
}

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

const rawRead = async (estate: Estate): Promise<void> => {
  const read = await readRaw(estate)
  if (read !== estate.memberships) throw new VoidRun(`ldapts read ${read} of ${estate.memberships} members`)
}

const quiet = async (reconciling: Reconciling, estate: Estate, full: boolean): Promise<void> => {
  const { extent, changes, unread, shrunken, accountsUnread, members, accounts } = await reconciling.run(full)
  if (changes.length > 0 || unread.length > 0 || shrunken.length > 0 || accountsUnread !== null)
    throw new VoidRun('something was found on a quiet day, or not read')
  if (full && (members !== estate.memberships || accounts !== estate.size.people))
    throw new VoidRun(`${members} members and ${accounts} accounts were read`)
  if (full !== (extent === 'full')) throw new VoidRun(`it read ${extent}`)
}

/** Of each group some go and as many come, by another hand. */
const driftFound = async (reconciling: Reconciling, estate: Estate) => {
  const { size, people, groups, directory } = estate
  const each = Math.max(1, Math.round((estate.memberships / size.groups) * (driftShare / 2)))
  const all = persons(0, size.people)
  const injected = new Set<string>()
  await asDirectoryRoot(directory.ldap, async (client) => {
    for (let group = 0; group < size.groups; group++) {
      const isIn = (person: (typeof all)[number]) => groupsOf(person, size).includes(group)
      const some = (test: (person: (typeof all)[number]) => boolean) => {
        const found: (typeof all)[number][] = []
        for (let at = (group * 7_919) % all.length; found.length < each; at = (at + 13) % all.length) {
          const person = all[at]
          if (person !== undefined && test(person) && !found.includes(person)) found.push(person)
        }
        return found
      }
      const [gone, come] = [some(isIn), some((person) => !isIn(person))]
      const dn = `cn=${groupName(group)},${groups}`
      const dns = (of: typeof all) => of.map((person) => accountDn(people.base, person))
      await changeMembers(client, dn, 'delete', dns(gone))
      await changeMembers(client, dn, 'add', dns(come))
      for (const { key } of gone) injected.add(`missing ${key} ${groupName(group)}`)
      for (const { key } of come) injected.add(`appeared ${key} ${groupName(group)}`)
    }
  })
  const begun = performance.now()
  const { changes } = await reconciling.run(false)
  const ms = performance.now() - begun
  const told = new Set(changes.map(({ drift, person, entitlement }) => `${drift} ${person} ${entitlement}`))
  const both = [...told].filter((one) => injected.has(one)).length
  const either = new Set([...told, ...injected]).size
  return { injected: injected.size, told: told.size, share: both / either, ms }
}

const memoryOf = async (estate: Estate): Promise<number> => {
  // As `muster serve` is started (bin/muster).
  const flags = ['--max-semi-space-size=16', '--heap-growing-percent=100']
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...flags, join(checkout, 'bench/house/reconciling.ts')],
    { env: { PATH: process.env.PATH, MALLOC_ARENA_MAX: '2', ...estate.env } },
  )
  const { members, highestKb } = JSON.parse(stdout) as { members: number; highestKb: number }
  if (members !== estate.memberships) throw new VoidRun(`${members} of ${estate.memberships} members were read`)
  return (highestKb * 1_024) / 1e6
}
