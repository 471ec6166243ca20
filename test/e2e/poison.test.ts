/** What nobody can believe, evaluate or configure: it stands aside with its reason, and everybody else is served. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hrMessage } from '../support/hr-event.ts'
import { type Installation, openInstallation } from '../support/muster-process.ts'
import { brokenLaws } from './laws.ts'
import { leaves, lending, manager, unguarded, works } from './people.ts'

let bank: Installation
beforeAll(async () => {
  // One partition: what is garbage stands in front of what is not.
  bank = await openInstallation({ partitions: 1, target: unguarded })
  await bank.start()
})
afterAll(() => bank.close())

type Event = { data: { worker: Record<string, unknown> } & Record<string, unknown> } & Record<string, unknown>
/** A good event of this person, spoiled. */
const spoiled = (person: string, spoil: (event: Event) => void) => {
  const message = hrMessage(works(person))
  const event = JSON.parse(message.value) as Event
  spoil(event)
  return { ...message, value: JSON.stringify(event) }
}
const good = (person: string) => hrMessage(works(person))
const text = (value: string) => ({ ...good('G'), value })

const garbage = [
  { ...good('G'), value: Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]) },
  text(good('G').value.slice(0, 100)),
  text(`{"pad":"${'x'.repeat(5 * 1024 * 1024)}"}`),
  text(good('G').value.replace('"source"', '"id":"twice","source"')),
  text(good('G').value.replace('"custom":{}', '"custom":{"__proto__":{"polluted":true}}')),
  spoiled('G', (event) => Object.assign(event.data.worker, { jobCode: 7 })),
  spoiled('G', (event) => Object.assign(event.data.worker, { status: 'asleep' })),
  spoiled('G', (event) => Object.assign(event, { type: 'dev.muster.hr.holiday.v1' })),
  spoiled('G', (event) => Object.assign(event.data, { effectiveAt: '2026-02-30' })),
  spoiled('G', (event) => Object.assign(event, { type: 'dev.muster.hr.worker.v2' })),
  { ...good('G'), key: null },
  { ...good('G'), key: 'somebody-else' },
  { ...good('G'), value: null },
]

test('garbage of every kind stands in quarantine, each with a reason and an audit entry; the others flow past it', async () => {
  await bank.tellRaw(...garbage.flatMap((message, at) => [message, good(`P-${at}`)]))
  await bank.quiet()
  const directory = await bank.everything()
  expect(directory.size).toBe(garbage.length)
  for (const at of garbage.keys()) expect(directory.get(`P-${at}`)?.groups).toEqual(lending)
  const kept = await bank.audit<{ reason: string; audited: number }>(
    `select q.reason, count(e.id) as audited from auditor.quarantine q left join auditor.entries e
       on e.kind = 'quarantined' and e.topic = q.topic and e.partition = q.partition and e."offset" = q."offset"
     group by q."offset", q.reason order by q."offset"`,
  )
  expect(kept.map(({ audited }) => audited)).toEqual(garbage.map(() => 1))
  expect(kept.map(({ reason }) => reason)).toEqual([
    'invalid-utf8',
    'truncated-json',
    'too-large',
    'duplicate-member',
    'forbidden-member',
    'wrong-type',
    'unknown-status',
    'unknown-type',
    'impossible-date',
    'future-version',
    'missing-key',
    'key-mismatch',
    'tombstone',
  ])
  expect(await brokenLaws(bank)).toEqual([])
})

test('an identity whose evaluation throws stands aside; when it leaves, it is tried again', async () => {
  await bank.tell(works('X-1'))
  await bank.quiet()
  // What no validation lets in, but a row may hold after somebody's mistake.
  const spoil = (sql: string) => bank.rows(`update muster.inbox set body = ${sql} where event_id like 'poison-%'`)
  await bank.tell({ ...works('X-1', manager, '2024-02-01'), id: 'poison-1' })
  await bank.quiet()
  await spoil(`(body::jsonb - 'worker')::json`)
  await bank.tell(works('X-1', manager, '2024-02-02'), works('X-2'), works('X-3'))
  await bank.quiet()
  const parked = () =>
    bank.audit<{ person_key: string }>('select person_key from auditor.people where parked_at is not null')
  expect(await parked()).toEqual([{ person_key: 'X-1' }])
  expect(await bank.audit(`select urgent from auditor.findings where kind = 'evaluation-failed'`)).toEqual([
    { urgent: true },
  ])
  expect(await bank.groupsOf('X-2')).toEqual(lending)

  const [healed] = await bank.rows<{
    body: string
  }>(`select body::text from muster.inbox b join muster.identity i on i.id = b.identity_id
    where i.person_key = 'X-1' and event_id not like 'poison-%' order by b."offset" limit 1`)
  await bank.rows(
    `update muster.inbox set body = (body::jsonb || jsonb_build_object('worker', $1::jsonb -> 'worker'))::json where event_id = 'poison-1'`,
    healed?.body,
  )
  await bank.tell(leaves('X-1'))
  await bank.until('the leaver to be gone', async () => (await bank.account('X-1'))?.locked)
  await bank.quiet()
  expect(await parked()).toEqual([])
  expect(await bank.groupsOf('X-1')).toEqual([])
  expect(await brokenLaws(bank)).toEqual([])
})

test('two engines with two policy directories: both judge by the active version, nobody flaps', async () => {
  const other = bank.configure({
    policies: bank.policies.map(({ path, text: policy }) => ({
      path,
      text: policy.replace('entitlements: [CBS_LoanEntry]', 'entitlements: [CBS_LoanEntry, App_RiskDesk]'),
    })),
  })
  const second = await bank.start({ files: other })
  expect(second.lines.join('\n')).toContain('are not the active ones')
  const [first] = bank.running()
  await bank.tell(...Array.from({ length: 20 }, (_, at) => works(`F-${at}`)))
  first?.kill('SIGKILL')
  await bank.tell(...Array.from({ length: 20 }, (_, at) => works(`S-${at}`)))
  await bank.until(
    'everything to be read',
    async () =>
      (await bank.rows<{ n: number }>('select sum(next_offset)::int as n from muster.stream where current'))[0]?.n ===
      bank.sent(),
  )
  await bank.shift(61_000)
  await bank.quiet()
  const directory = await bank.everything()
  for (let at = 0; at < 20; at++)
    for (const name of ['F', 'S']) expect(directory.get(`${name}-${at}`)?.groups).toEqual(lending)
  expect(await bank.audit('select policy_version, active from auditor.policy_versions')).toEqual([
    { policy_version: 1, active: true },
  ])
  expect(await bank.audit(`select distinct policy_version from auditor.person_trail where kind = 'decision'`)).toEqual([
    { policy_version: 1 },
  ])
  other.remove()
})

test('every mistake of directory and environment is told at once, and nothing starts', async () => {
  const wrong = bank.configure({
    file: { engine: { lease: 'soon', evaluateBatch: 0 }, colour: 'green' },
    ldapSettings: { bindPassword: 'written-here' },
    env: { MUSTER_DATABASE_URL: 'mysql://somewhere', MUSTER_REDIS_URL: '' },
  })
  const refused = bank.spawn({ files: wrong })
  expect(await refused.ended).toBe(2)
  const said = refused.lines.join('\n')
  for (const mistake of ['lease', 'evaluateBatch', 'colour', 'bindPassword', 'MUSTER_DATABASE_URL', 'MUSTER_REDIS_URL'])
    expect(said).toContain(mistake)
  expect(said).not.toContain('written-here')
  expect(said).not.toContain('mysql://somewhere')
  wrong.remove()
})
