/** The laws of DESIGN §6 as questions to the database, the audit and the directory. Each answers what breaks it. */
import type { House as WholeHouse } from '../../support/house.ts'

/** What the laws look at: the database as its owner, and the directory from outside. */
export type House = Pick<WholeHouse, 'rows' | 'everything'>

type Entry = { readonly kind: string; readonly body: Readonly<Record<string, unknown>> }

/** Audit entries in the order in which they were written, parsed. */
export const auditOf = async (house: House): Promise<readonly Entry[]> => {
  const rows = await house.rows<{ kind: string; text: string }>(
    `select kind, convert_from(bytes, 'UTF8') as text from audit.entry order by id`,
  )
  return rows.map(({ kind, text }) => ({ kind, body: JSON.parse(text) }))
}

/** What is wanted of everybody now, as recorded, less what separation of duties holds. */
const wantedNow = (house: House) =>
  house.rows<{ person: string; leaver: boolean; lifecycle: string; linked: boolean; wanted: string[] }>(
    `select i.person_key as person, i.leaver, i.lifecycle,
      exists (select from muster.account a where a.identity_id = i.id and a.unlinked_at is null) as linked, coalesce((select array_agg(e.key order by e.key)
        from jsonb_array_elements(d.assignments) x join muster.entitlement e on e.id = (x->>'e')::int
        where (x->>'from')::bigint <= t.now and (x->'to' = 'null' or (x->>'to')::bigint > t.now)
          and not exists (select from muster.hold h where h.identity_id = i.id and h.entitlement_id = e.id and h.kind = 'sod' and h.closed_at is null)
      ), '{}') as wanted
    from muster.identity i left join muster.desired d on d.identity_id = i.id and d.recorded_to = 'infinity',
      (select (extract(epoch from muster.now()) * 1000)::bigint as now) t`,
  )

/** L1: on the target, observed == desired, also in Muster's own record of what is observed. */
export const l1 = async (house: House): Promise<readonly string[]> => {
  const [directory, people, believed] = await Promise.all([
    house.everything(),
    wantedNow(house),
    house.rows<{ person: string; keys: string[]; found: string[] }>(
      `select i.person_key as person, array_agg(coalesce(e.key, e.lookup) order by e.key) as keys,
         coalesce(array_agg(e.key) filter (where not g.given and not i.leaver), '{}') as found
       from muster.grants g join muster.account a on a.id = g.account_id and a.unlinked_at is null
       join muster.identity i on i.id = a.identity_id join muster.entitlement e on e.id = g.entitlement_id
       where g.gone_verified_at is null group by 1`,
    ),
  ])
  const breaches: string[] = []
  for (const { person, leaver, lifecycle, linked, wanted } of people) {
    // An account that was never linked is none of Muster's business, as long as nothing is wanted on it.
    if (!linked && wanted.length === 0) continue
    const there = directory.get(person)
    const groups = there?.groups ?? []
    // What Muster found and never gave is a finding, and stays (but a leaver's).
    const found = believed.find((one) => one.person === person)?.found ?? []
    if (groups.join() !== [...new Set([...wanted, ...found])].sort().join())
      breaches.push(`${person} wants [${wanted}] and holds [${groups}]`)
    const known = believed.find((one) => one.person === person)?.keys ?? []
    if ([...known].sort().join() !== [...groups].sort().join())
      breaches.push(`${person} holds [${groups}], Muster believes [${known}]`)
    const mustBeLocked = leaver || lifecycle === 'leave' || lifecycle === 'suspended'
    if (there !== undefined && mustBeLocked && !there.locked) breaches.push(`${person} is ${lifecycle} and may sign in`)
    if (there !== undefined && lifecycle === 'active' && wanted.length > 0 && there.locked)
      breaches.push(`${person} is active and locked out`)
  }
  return breaches
}

/** L7: every action that changed something stands decided, attempted and concluded in the audit; nothing stands twice. */
export const l7 = async (house: House): Promise<readonly string[]> => {
  const audit = await auditOf(house)
  const breaches: string[] = []
  const decided = count(
    audit.flatMap(({ kind, body }) =>
      kind === 'decision' ? (body.actions as { id: number }[]).map(({ id }) => id) : [],
    ),
  )
  const attempted = count(
    audit.flatMap(({ kind, body }) =>
      kind === 'attempt'
        ? (body.operations as { action: number }[]).map(({ action }) => `${action}/${body.dispatch}`)
        : [],
    ),
  )
  const concluded = count(
    audit.flatMap(({ kind, body }) => (kind === 'outcome' ? [`${body.action}/${body.dispatch}`] : [])),
  )
  const changed = count(
    audit.flatMap(({ kind, body }) => (kind === 'outcome' && body.changed === true ? [Number(body.action)] : [])),
  )
  for (const [key, times] of [...decided, ...attempted, ...concluded, ...changed])
    if (times !== 1) breaches.push(`${key} stands ${times} times in the audit`)
  for (const key of concluded.keys()) if (!attempted.has(key)) breaches.push(`outcome of ${key} without an attempt`)
  for (const key of attempted.keys()) {
    if (!concluded.has(key)) breaches.push(`attempt ${key} without an outcome`)
    if (!decided.has(Number(key.split('/')[0]))) breaches.push(`attempt ${key} that nobody decided`)
  }
  const ended = await house.rows<{ id: number; state: string }>(
    `select id, state::text from muster.action where state = 'done'`,
  )
  for (const { id } of ended)
    if (![...concluded.keys()].some((key) => key.startsWith(`${id}/`)))
      breaches.push(`action ${id} is done and has no outcome`)
  return breaches
}

/** L8: every action ever decided is still a row, in exactly one state, and none is open without a reason to be. */
export const l8 = async (house: House): Promise<readonly string[]> => {
  const audit = await auditOf(house)
  const planned = audit.flatMap(({ kind, body }) =>
    kind === 'decision' ? (body.actions as { id: number }[]).map(({ id }) => id) : [],
  )
  const states = await house.rows<{ state: string; n: number }>(
    'select state::text, count(*) as n from muster.action group by 1',
  )
  const sum = states.reduce((total, { n }) => total + n, 0)
  const breaches = sum === planned.length ? [] : [`${planned.length} actions were planned, ${sum} are there`]
  const lost = await house.rows<{ id: number; state: string }>(
    `select a.id, a.state::text from muster.action a left join muster.dispatch d on d.id = a.dispatch_id
     where (a.state = 'dispatched') <> (d.state is not null and d.state in ('queued', 'claimed') and a.state = 'dispatched')
       or (a.state = 'ready' and a.dispatch_id is not null)`,
  )
  return [...breaches, ...lost.map(({ id, state }) => `action ${id} is ${state} and belongs to no living dispatch`)]
}

/** L2: pairs of entitlements that nobody may hold together, found in the directory, each person's own excepted. */
export const conflicts = async (
  house: House,
  pairs: readonly (readonly [string, string])[],
): Promise<readonly string[]> =>
  [...(await house.everything())].flatMap(([person, { groups }]) =>
    pairs
      .filter(([a, b]) => groups.includes(a) && groups.includes(b))
      .map((pair) => `${person} holds ${pair.join(' and ')}`),
  )

const count = <K>(items: readonly K[]): ReadonlyMap<K, number> => {
  const counts = new Map<K, number>()
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1)
  return counts
}

/** All laws that hold when everything is quiet; empty = they do. */
export const brokenLaws = async (house: House): Promise<readonly string[]> =>
  (await Promise.all([l1(house), l7(house), l8(house)])).flat()
