import type { Database } from '../../src/store/database.ts'
import type { ScenarioTree } from './engine-directory.ts'
import type { Observation } from './run-scenario.ts'

type Change = Observation['changes'][number]
type Entry = { readonly id: number; readonly kind: string; readonly text: string }
type Told = {
  readonly action: number
  readonly dispatch: number
  readonly kind: string
  readonly target: string
  readonly entitlement: number | null
  readonly outcome: string
  readonly changed?: boolean
  readonly word?: string
  readonly next: string | null
}

const nameText = `coalesce(e.key, substring(e.lookup from '^cn=([^,]+)'))`

/** What Muster's own record says of one person, and what the targets say. */
export const observePerson = async (
  admin: Database,
  trees: ReadonlyMap<string, ScenarioTree>,
  person: string,
  changes: readonly Change[],
): Promise<Observation> => {
  const [row] = await admin.query<Omit<Observation, 'holds' | 'accounts' | 'changes'>>({
    text: `select i.lifecycle, i.leaver, i.parked_at is not null as parked,
      coalesce((select jsonb_agg(${nameText}) from muster.desired d, jsonb_array_elements(d.assignments) x
          join muster.entitlement e on e.id = (x->>'e')::int, (select extract(epoch from muster.now()) * 1000 as now) t
        where d.identity_id = i.id and d.recorded_to = 'infinity' and (x->>'from')::numeric <= t.now
          and (x->'to' = 'null' or (x->>'to')::numeric > t.now)), '[]') as wanted,
      coalesce((select jsonb_object_agg(${nameText}, to_jsonb(h.policies)) from muster.hold h
        join muster.entitlement e on e.id = h.entitlement_id
        where h.identity_id = i.id and h.kind = 'sod' and h.closed_at is null), '{}') as held,
      coalesce((select jsonb_agg(f.detail ->> 'policy') from muster.finding f
        where f.identity_id = i.id and f.kind = 'sod-violation' and f.closed_at is null), '[]') as violations,
      coalesce((select jsonb_agg(${nameText}) from muster.finding f join muster.entitlement e on e.id = (f.detail ->> 'entitlement')::int
        where f.identity_id = i.id and f.kind = 'grant-unexplained' and f.closed_at is null), '[]') as reported,
      coalesce((select jsonb_object_agg(a.kind || ' ' || coalesce(${nameText}, a.target), case
          when a.state = 'dispatched' then case when d.state = 'claimed' then 'calling' else 'dispatched' end
          when a.unknown then 'unknown'
          when a.state = 'ready' and a.needs_account and c.id is null then 'waiting'
          else a.state::text end)
        from muster.action a left join muster.entitlement e on e.id = a.entitlement_id
          left join muster.dispatch d on d.id = a.dispatch_id
          left join muster.account c on c.identity_id = i.id and c.target = a.target and c.unlinked_at is null
        where a.identity_id = i.id and a.state in ('waiting', 'ready', 'dispatched', 'parked')), '{}') as open
      from muster.identity i where i.person_key = $1`,
    values: [person],
  })
  const seen = await Promise.all([...trees].map(async ([target, tree]) => [target, await tree.look(person)] as const))
  return {
    lifecycle: row?.lifecycle ?? 'prehire',
    leaver: row?.leaver ?? false,
    parked: row?.parked ?? false,
    wanted: row?.wanted ?? [],
    held: row?.held ?? {},
    violations: row?.violations ?? [],
    reported: row?.reported ?? [],
    open: row?.open ?? {},
    holds: Object.fromEntries(seen.map(([target, { groups }]) => [target, groups])),
    accounts: Object.fromEntries(seen.map(([target, { state }]) => [target, state])),
    changes,
  }
}

/**
 * The person's verified changes after the audit entry `since`, read from the audit alone: the order of its entries is the
 * order of what happened. A change whose answer was lost is one when a later read finds it made.
 */
export const auditedChanges = async (
  admin: Database,
  person: string,
  since: number,
): Promise<{ readonly changes: readonly Change[]; readonly upTo: number }> => {
  const entries = await admin.query<Entry>({
    text: `select e.id, e.kind, convert_from(e.bytes, 'UTF8') as text from audit.entry e where e.kind = 'attempt'
      or (e.kind = 'outcome' and e.subject_ref = (select subject_ref from muster.identity where person_key = $1)) order by e.id`,
    values: [person],
  })
  const names = new Map(
    (
      await admin.query<{ id: number; name: string }>({
        text: `select e.id, ${nameText} as name from muster.entitlement e`,
      })
    ).map(({ id, name }) => [id, name]),
  )
  const lanes = new Map(
    (await admin.query<{ id: number; lane: string }>({ text: 'select id, lane::text from muster.action' })).map(
      ({ id, lane }) => [id, lane],
    ),
  )
  const firstSent = new Map<number, number>()
  const lastSent = new Map<number, number>()
  const maybe = new Set<number>()
  const changes: Change[] = []
  for (const { id, kind, text } of entries) {
    if (kind === 'attempt') {
      for (const { action } of (JSON.parse(text) as { operations: { action: number }[] }).operations) {
        if (!firstSent.has(action)) firstSent.set(action, id)
        lastSent.set(action, id)
      }
      continue
    }
    const told = JSON.parse(text) as Told
    if (told.outcome === 'done' && told.next === null) {
      // A grant counts from its first call: none of them may go out before what it waits for. What takes away may have
      // gone out in vain, beside the grant that it takes back.
      const startedAt = (told.kind === 'grant' ? firstSent : lastSent).get(told.action) ?? 0
      const change = `${told.kind} ${told.entitlement === null ? told.target : names.get(told.entitlement)}`
      if ((told.changed === true || maybe.has(told.action)) && id > since)
        changes.push({ change, lane: lanes.get(told.action) ?? '', startedAt, verifiedAt: id })
    } else if (told.outcome === 'unknown' || (told.outcome === 'done' && told.changed === true)) maybe.add(told.action)
    else if (told.outcome === 'retry' && told.word === 'not-so') maybe.delete(told.action)
  }
  return { changes, upTo: entries.at(-1)?.id ?? since }
}
