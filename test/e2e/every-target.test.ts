/**
 * One engine, one target of each kind (examples/everywhere): a joiner, mover and leaver arrives on all of them, and a target
 * that is away stops nobody on the others. The witnesses are each target's own, past the connectors.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { NativeId } from '../../src/domain/ids.ts'
import { type AdWorld, openAdWorld } from '../contracts/ad-world.ts'
import { type AwsIamWorld, foreign, openAwsIamWorld, policyOf } from '../contracts/aws-iam-world.ts'
import { type AwsWorld, openAwsWorld } from '../contracts/aws-world.ts'
import { type EntraWorld, openEntraWorld } from '../contracts/entra-world.ts'
import type { Group, World } from '../contracts/world.ts'
import { l7, l8 } from '../integration/protocol/laws.ts'
import { type Installation, openInstallation } from '../support/muster-process.ts'
import { l5 } from './laws.ts'
import { leaves, unguarded, works } from './people.ts'

const example = new URL('../../examples/everywhere/', import.meta.url)
const awsAccount = '111122223333'
/** The person's entitlements as the target shows them, in order, and whether their account is open; null: none there. */
type Seen = { readonly held: readonly string[]; readonly open: boolean } | null
type Look = (person: string) => Promise<Seen>

let ad: AdWorld
let entra: EntraWorld
let aws: AwsWorld
let iam: AwsIamWorld
let bank: Installation
let looks: Readonly<Record<string, Look>>

beforeAll(async () => {
  ;[ad, entra, aws] = await Promise.all([openAdWorld(), openEntraWorld(), openAwsWorld()])
  iam = await openAwsIamWorld(aws.stack)
  bank = await openInstallation()
  const policies = [
    ...readdirSync(new URL('policies/', example)).map((path) => ({
      path,
      text: readFileSync(new URL(`policies/${path}`, example), 'utf8').replaceAll(
        'ou=groups,dc=bank,dc=example',
        bank.tree.groups,
      ),
    })),
    { path: 'mirror.yaml', text: mirror },
  ]
  looks = await madeReady(policies.map(({ text }) => text).join('\n'))
  await bank.start({ files: bank.configure({ file: { targets: targetsOf() }, policies, env: environment() }) })
})
afterAll(async () => {
  const code = await bank?.running()[0]?.stop()
  await bank?.close()
  await Promise.all([ad?.close(), entra?.close(), iam?.close().then(() => aws.close())])
  expect(code).toBe(0)
})

/** Of these no rule gives the one in AWS: it comes and goes with a manager's group in Entra (ADR 0022), also while either is away. */
const mirror = `
entitlements:
  Sso_LoanDesk:
    target: bank-entra
    lookup: displayName:Sso_LoanDesk
    risk: medium
    owner: lending-desk
    description: Who signs in to AWS for the loan desk.
  Portal_LoanDesk:
    target: bank-aws
    lookup: group/Portal_LoanDesk
    risk: medium
    owner: data-platform
    description: The same people in AWS.
birthright:
  loan-desk-signs-in:
    when: { jobCode: RM }
    grants: { entitlements: [Sso_LoanDesk] }
implications:
  portal:
    mirrors:
      from: { target: bank-entra, lookup: 'displayName:Sso_*' }
      to: { target: bank-aws, lookup: 'group/Portal_*' }
`

/** Those of the example, on this test's subtree, impatient. */
const targetsOf = () => {
  type Settings = Readonly<Record<string, unknown>>
  type Target = Settings & { readonly type: string }
  const { targets } = parse(readFileSync(new URL('muster.yaml', example), 'utf8')) as { targets: readonly Target[] }
  const changes: Readonly<Record<string, Settings>> = {
    ldap: { peopleBase: bank.tree.people, groupsBase: bank.tree.groups, passwordPolicyDn: undefined },
    ad: { timeouts: { connectMs: 1_000, operationMs: 2_000 } },
    entra: { timeouts: { requestMs: 2_000 } },
    aws: { timeouts: { connectMs: 1_000, requestMs: 2_000 } },
    iam: { endpoint: iam.proxy.url, timeouts: { connectMs: 1_000, requestMs: 2_000 } },
  }
  return targets.map((target) => {
    const member = target.type === 'aws-iam' ? 'iam' : target.type
    // One leaver of so few people is a mass change.
    return { ...target, ...unguarded, [member]: { ...(target[member] as Settings), ...changes[member] } }
  })
}

const environment = (): Readonly<Record<string, string>> => {
  const { cloud, tenant, clientId } = entra.configure()
  if (typeof cloud === 'string') throw new Error('not the simulator')
  return {
    MUSTER_STACK_LDAP_URL: bank.ldap.url,
    MUSTER_STACK_LDAP_CA_FILE: bank.ldap.caFile,
    MUSTER_STACK_LDAP_SERVICE_DN: bank.ldap.serviceDn,
    MUSTER_STACK_LDAP_SERVICE_PASSWORD: bank.ldap.servicePassword,
    MUSTER_STACK_AD_URL: ad.ad.url,
    MUSTER_STACK_AD_CA_FILE: ad.ad.caFile,
    MUSTER_STACK_AD_SERVICE_NAME: ad.ad.serviceName,
    MUSTER_STACK_AD_SERVICE_PASSWORD: ad.ad.servicePassword,
    MUSTER_STACK_GRAPH_URL: cloud.graph,
    MUSTER_STACK_GRAPH_AUTHORITY: cloud.authority,
    MUSTER_STACK_GRAPH_TENANT: tenant,
    MUSTER_STACK_GRAPH_CLIENT_ID: clientId,
    MUSTER_STACK_GRAPH_CLIENT_SECRET_FILE: entra.secretFile,
    NODE_EXTRA_CA_CERTS: entra.graph.caFile,
    MUSTER_STACK_AWS_ENDPOINT: aws.simulator.url,
    MUSTER_STACK_AWS_REGION: aws.settings.region,
    MUSTER_STACK_AWS_INSTANCE_ARN: aws.settings.instanceArn,
    MUSTER_STACK_AWS_IDENTITY_STORE_ID: aws.settings.identityStoreId,
    MUSTER_STACK_AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    MUSTER_STACK_AWS_SECRET_ACCESS_KEY: 'secret',
  }
}

/** Makes what the catalogue names on each target (the bank's groups stand in LDAP already), and answers how each is looked at. */
const madeReady = async (catalogue: string): Promise<Readonly<Record<string, Look>>> => {
  const named = (pattern: RegExp) => [...catalogue.matchAll(pattern)].map(([, name]) => name ?? '')
  const inAd = await made(ad, named(/lookup: CN=(\w+),/g))
  const inEntra = await made(entra, named(/lookup: displayName:(\w+)/g))
  const inAws = await made(aws, named(/lookup: group\/(\w+)/g))
  const inIam = new Map<string, Group>()
  for (const name of named(/lookup: role\/(\w+)/g)) inIam.set(`Iam_${name}`, await iam.addRole(name, policyOf(foreign)))
  const sets: [string, string][] = []
  for (const name of named(/lookup: assignment\/\d+\/(\w+)/g))
    sets.push([`Aws_${name}`, await aws.addPermissionSet(name)])
  const by = (world: World, groups: ReadonlyMap<string, Group>, more: (id: NativeId) => Promise<readonly string[]>) =>
    (async (person) => {
      const [id, ...twins] = await world.accountsOf(world.person(person))
      if (id === undefined) return null
      expect(twins).toEqual([])
      const held: string[] = []
      for (const [key, group] of groups) if ((await world.membersOf(group)).includes(id)) held.push(key)
      return { held: [...held, ...(await more(id))].sort(), open: await isOpen(world, id) }
    }) satisfies Look
  const assigned = async (id: NativeId) => {
    const keys: string[] = []
    for (const [key, arn] of sets) if ((await aws.assignedTo(awsAccount, arn)).includes(id)) keys.push(key)
    return keys
  }
  return {
    'bank-ldap': async (person) => {
      const account = await bank.account(person)
      return account === null ? null : { held: await bank.groupsOf(person), open: !account.locked }
    },
    'bank-ad': by(ad, inAd, async () => []),
    'bank-entra': by(entra, inEntra, async () => []),
    'bank-aws': by(aws, inAws, assigned),
    'bank-iam': by(iam, inIam, async () => []),
  }
}

const made = async (world: World, names: readonly string[]): Promise<ReadonlyMap<string, Group>> => {
  const groups = new Map<string, Group>()
  for (const name of names) groups.set(name, await world.addGroup(name))
  return groups
}

/** Muster's accounts have passwords that nobody knows, so of AD's the bit is read: ACCOUNTDISABLE. */
const isOpen = async (world: World, id: NativeId): Promise<boolean> =>
  world === ad ? (Number((await ad.entryOf(id))?.userAccountControl) & 2) === 0 : world.canSignIn(id)

const seen = async (person: string) =>
  Object.fromEntries(await Promise.all(Object.entries(looks).map(async ([id, look]) => [id, await look(person)])))

/** L1 on each target, as the witnesses and Muster's own record of what is observed tell. */
const l1OnEach = async (): Promise<readonly string[]> => {
  const rows = await bank.rows<{ person: string; target: string; wanted: string[]; believed: string[] }>(
    `select i.person_key as person, t.target,
      coalesce((select array_agg(e.key order by e.key) from muster.desired d cross join jsonb_array_elements(d.assignments) x
        join muster.entitlement e on e.id = (x->>'e')::int and e.target = t.target
        where d.identity_id = i.id and d.recorded_to = 'infinity' and (x->>'from')::bigint <= c.now
          and (x->'to' = 'null' or (x->>'to')::bigint > c.now)), '{}') as wanted,
      coalesce((select array_agg(e.key order by e.key) from muster.grants g join muster.account a on a.id = g.account_id
        join muster.entitlement e on e.id = g.entitlement_id
        where a.identity_id = i.id and a.target = t.target and g.gone_verified_at is null), '{}') as believed
    from muster.identity i cross join (select distinct target from muster.entitlement) t,
      (select (extract(epoch from muster.now()) * 1000)::bigint as now) c`,
  )
  const breaches: string[] = []
  for (const { person, target, wanted, believed } of rows) {
    const held = (await looks[target]?.(person))?.held ?? []
    if (held.join() !== wanted.join()) breaches.push(`${person} wants [${wanted}] on ${target} and holds [${held}]`)
    if (held.join() !== believed.join())
      breaches.push(`${person} holds [${held}] on ${target}, Muster believes [${believed}]`)
  }
  return rows.length === 0 ? ['nobody is there'] : breaches
}
const brokenLaws = async () => (await Promise.all([l1OnEach(), l5(bank), l7(bank), l8(bank)])).flat()

const manager = { department: 'LENDING', jobCode: 'RM' }
const open = (...held: string[]): Seen => ({ held, open: true })
const asManager = {
  'bank-ldap': open('Dept_Lending', 'Staff_Intranet'),
  'bank-ad': open('CBS_LoanEntry', 'CBS_ViewOnly'),
  'bank-entra': open('Lending_RM', 'Sso_LoanDesk'),
  'bank-aws': open('Aws_LoanDesk', 'Loan_ReadOnly', 'Portal_LoanDesk'),
  'bank-iam': open('Iam_LoanQuotes'),
}
const gone: Seen = { held: [], open: false }
/** AWS disables nobody. */
const left = { 'bank-ldap': gone, 'bank-ad': gone, 'bank-entra': gone, 'bank-aws': open(), 'bank-iam': open() }

test('who joins, moves and leaves does so on every target, and each keeps its time', async () => {
  await bank.tell(works('ET-1', manager), works('ET-2', manager))
  await bank.quiet()
  expect(await seen('ET-1')).toEqual(asManager)
  expect(await brokenLaws()).toEqual([])

  await bank.tell(works('ET-1', { department: 'LENDING', jobCode: 'CA' }, '2024-02-01'))
  await bank.quiet()
  expect(await seen('ET-1')).toEqual({
    'bank-ldap': open('Dept_Lending', 'Staff_Intranet'),
    'bank-ad': open('CBS_LoanApprove', 'CBS_ViewOnly'),
    'bank-entra': open('Credit_Committee'),
    'bank-aws': open('Aws_LoanDecisions', 'Loan_ReadOnly'),
    'bank-iam': open('Iam_LoanRisk'),
  })
  expect(await seen('ET-2')).toEqual(asManager)

  await bank.tell(leaves('ET-1'))
  await bank.quiet()
  expect(await seen('ET-1')).toEqual(left)
  expect(await seen('ET-2')).toEqual(asManager)
  expect(await brokenLaws()).toEqual([])
  expect(
    await bank.audit(
      `select target, revokes::int, slo_kept from auditor.leaver_latencies where person_key = 'ET-1' order by target`,
    ),
  ).toEqual([
    { target: 'bank-ad', revokes: 2, slo_kept: true },
    { target: 'bank-aws', revokes: 2, slo_kept: true },
    { target: 'bank-entra', revokes: 1, slo_kept: true },
    { target: 'bank-iam', revokes: 1, slo_kept: true },
    { target: 'bank-ldap', revokes: 2, slo_kept: true },
  ])
})

describe('a target that is away', () => {
  test.each([
    { away: 'bank-aws' as const, world: () => aws, name: 'EA' },
    { away: 'bank-iam' as const, world: () => iam, name: 'EI' },
    { away: 'bank-entra' as const, world: () => entra, name: 'EE' },
    { away: 'bank-ad' as const, world: () => ad, name: 'ED' },
  ])('$away stops nobody elsewhere, and what was owed there is done when it is back', async ({ away, world, name }) => {
    const [leaver, joiner] = [`${name}-1`, `${name}-2`]
    await bank.tell(works(leaver, manager))
    await bank.quiet()
    expect(await seen(leaver)).toEqual(asManager)

    const elsewhere = (all: Readonly<Record<string, Seen>>) =>
      Object.fromEntries(Object.entries(all).filter(([target]) => target !== away))
    const seenElsewhere = async (person: string) =>
      Object.fromEntries(
        await Promise.all(
          Object.entries(looks).flatMap(([target, look]) =>
            target === away ? [] : [look(person).then((one) => [target, one] as const)],
          ),
        ),
      )
    await world().faults.down()
    await bank.tell(leaves(leaver), works(joiner, manager))
    await expect.poll(() => seenElsewhere(leaver)).toEqual(elsewhere(left))
    await expect.poll(() => seenElsewhere(joiner)).toEqual(elsewhere(asManager))
    expect(
      await bank.audit(
        `select open > 0 as owed from auditor.leaver_latencies where person_key = $1 and target = $2`,
        leaver,
        away,
      ),
    ).toEqual([{ owed: true }])

    await world().faults.up()
    await bank.shift(61_000)
    await bank.quiet()
    expect(await seen(leaver)).toEqual(left)
    expect(await seen(joiner)).toEqual(asManager)
    expect(await brokenLaws()).toEqual([])
  })
})
