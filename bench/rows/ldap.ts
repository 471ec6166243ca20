/** Memberships through the LDAP connector alone, batch by batch as the engine hands them over, against bare modifies. */
import type { Connector, Operation } from '../../src/connectors/connector.ts'
import type { EntitlementId, NativeId } from '../../src/domain/ids.ts'
import { changeMembers, findByIds, openDirectory, readGroup } from '../floor/directory.ts'
import { nativeIdsBelow, openLdapConnector } from '../house/ldap-connector.ts'
import {
  addGroups,
  departments,
  groupNames,
  groupsEach,
  groupsOfDepartment,
  membersByGroup,
  type People,
  type Person,
  persons,
  removeUnit,
} from '../house/people.ts'
import { compareDirectory, VoidRun } from '../house/witness.ts'
import { spreadOf } from '../measure/spread.ts'
import { rangeText } from '../report/figures.ts'
import type { Bench, Line } from '../row.ts'

export const ldapLines = async (bench: Bench): Promise<readonly Line[]> => {
  const { people: count, pairs } = bench.scale.ldap
  const people = await bench.standing(count)
  const wave = persons(0, count)
  const ids = await nativeIdsBelow(bench.stack, people.base, 'employeeNumber')
  const rounds: { readonly connector: number; readonly floor: number; readonly finding: number }[] = []
  for (let pair = 0; pair <= pairs; pair++) {
    const connector = await onFreshGroups(bench, people, wave, (groups) =>
      byConnector(bench, people, groups, wave, ids),
    )
    const floor = await onFreshGroups(bench, people, wave, (groups) => byHand(bench, people, groups, wave))
    const finding = await onFreshGroups(bench, people, wave, (groups) => byHand(bench, people, groups, wave, ids))
    if (pair > 0) rounds.push({ connector, floor, finding }) // the first pair compiles
  }
  const memberships = count * groupsEach
  const perSecond = (ms: number) => (memberships * 1_000) / ms
  const mine = rounds.map(({ connector }) => perSecond(connector))
  const what = `LDAP connector: memberships a second, ${memberships.toLocaleString('en')} grants to ${departments * groupsEach} groups, found by native id, proved by read-back`
  const against = 'ldapts as it comes: the same DNs in 500-value modifies and one read of each group'
  const given: Line = {
    what,
    against,
    value: spreadOf(rounds.map(({ connector, floor }) => floor / connector)),
    unit: 'share',
    goal: { reach: 0.7, aim: 0.9, better: 'more' },
    details: [
      `connector ${rangeText(mine, 'memberships/s')}, ldapts ${rangeText(
        rounds.map(({ floor }) => perSecond(floor)),
        'memberships/s',
      )}`,
      'the floor is given DNs; the connector is given native ids and finds the DNs behind them, before and after the change (ADR 0027)',
    ],
    samples: rounds,
  }
  const found: Line = {
    what,
    against: `${against}, and the DNs of each 500 found by their native ids before and after, as the connector must`,
    value: spreadOf(rounds.map(({ connector, finding }) => finding / connector)),
    unit: 'share',
    goal: null,
    details: [
      `ldapts ${rangeText(
        rounds.map(({ finding }) => perSecond(finding)),
        'memberships/s',
      )}; searches of 50 ids, one after the other`,
    ],
    samples: rounds,
  }
  return [given, found]
}

/** ms that `work` took; what then stands in the groups is compared member by member. */
const onFreshGroups = async (
  { stack }: Bench,
  people: People,
  wave: readonly Person[],
  work: (groups: string) => Promise<number>,
): Promise<number> => {
  const groups = await addGroups(stack.ldap, departments)
  try {
    const ms = await work(groups)
    await compareDirectory(stack.ldap, { people, groups, members: wave, locked: null })
    return ms
  } finally {
    await removeUnit(stack.ldap, groups)
  }
}

const byConnector = async (
  bench: Bench,
  people: People,
  groups: string,
  wave: readonly Person[],
  ids: ReadonlyMap<string, NativeId>,
): Promise<number> => {
  const natives = await nativeIdsBelow(bench.stack, groups, 'cn')
  const connector = openLdapConnector(bench.stack, people, groups)
  try {
    const { ok, problems } = await connector.check(AbortSignal.timeout(30_000))
    if (!ok) throw new VoidRun(`the connector cannot work here: ${problems.join(', ')}`)
    const batches = batchesOf(connector, wave, groups, ids, natives)
    const signal = new AbortController().signal
    const begun = performance.now()
    for (const batch of batches) {
      const outcomes = await connector.apply(batch, { signal, mayWrite: () => true })
      const wrong = outcomes.find((outcome) => outcome.kind !== 'done' || !outcome.changed)
      if (wrong !== undefined) throw new VoidRun(`a grant is ${JSON.stringify(wrong)}`)
    }
    return performance.now() - begun
  } finally {
    await connector.close()
  }
}

/** As the engine makes dispatches: of one group each, as large as the manifest allows. */
const batchesOf = (
  { manifest }: Connector,
  wave: readonly Person[],
  groups: string,
  ids: ReadonlyMap<string, NativeId>,
  natives: ReadonlyMap<string, NativeId>,
): readonly (readonly Operation[])[] => {
  const batches: (readonly Operation[])[] = []
  for (const [at, group] of groupNames(departments).entries()) {
    const entitlement = {
      id: at as EntitlementId,
      lookup: `cn=${group},${groups}`,
      nativeId: natives.get(group) ?? null,
    }
    const operations = wave
      .filter(({ department }) => groupsOfDepartment(department).includes(group))
      .map(({ key }): Operation => ({ op: 'grant', account: ids.get(key) as NativeId, entitlement }))
    for (let from = 0; from < operations.length; from += manifest.batchSize)
      batches.push(operations.slice(from, from + manifest.batchSize))
  }
  return batches
}

const byHand = async (
  bench: Bench,
  people: People,
  groups: string,
  wave: readonly Person[],
  /** Found again around each modify, where they are given. */
  ids?: ReadonlyMap<string, NativeId>,
): Promise<number> => {
  const members = membersByGroup(people, wave)
  const client = await openDirectory(bench.stack)
  try {
    const begun = performance.now()
    for (const [group, dns] of members) {
      const holders =
        ids === undefined
          ? []
          : wave
              .filter(({ department }) => groupsOfDepartment(department).includes(group))
              .flatMap(({ key }) => ids.get(key) ?? [])
      const before = await findByIds(client, people.base, holders)
      await changeMembers(client, 'add', `cn=${group},${groups}`, dns)
      const after = await findByIds(client, people.base, holders)
      if (before !== holders.length || after !== holders.length) throw new VoidRun('the floor did not find everybody')
    }
    let read = 0
    for (const group of members.keys()) read += (await readGroup(client, `cn=${group},${groups}`)) - 1
    const ms = performance.now() - begun
    if (read !== wave.length * groupsEach) throw new VoidRun(`the floor read ${read} members`)
    return ms
  } finally {
    await client.unbind()
  }
}
