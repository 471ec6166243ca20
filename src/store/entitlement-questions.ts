import { lookupKey } from '../domain/lookup-key.ts'
import type { Queryable, Transaction } from './database.ts'
import type { EntitlementSeen } from './grants.ts'

/** An entitlement of the catalogue of which its target is to be asked what its lookup names. */
export type EntitlementQuestion = {
  readonly id: number
  readonly target: string
  readonly lookup: string
  readonly lookup_key: string
  readonly native_id: string | null
  /** Grants wait for the answer. */
  readonly unsure: boolean
  readonly contested_by: string | null
}

const columns = `e.id, e.target, e.lookup, e.lookup_key, e.native_id, e.asked_key is distinct from e.lookup_key as unsure, e.contested_by`

/** The longest due first; nothing due is one look into an index. */
export const dueQuestions = (db: Queryable, limit: number): Promise<readonly EntitlementQuestion[]> =>
  db.query({
    name: 'entitlements-to-ask',
    text: `select ${columns} from muster.entitlement e where e.managed and e.ask_at <= (select muster.now()) order by e.ask_at limit $1`,
    values: [limit],
  })

/**
 * One records answers at a time, and never beside a change of the catalogue; null: somebody is at it. Only what still is
 * the question that was asked is answered.
 */
export const lockQuestions = async (
  tx: Transaction,
  asked: readonly EntitlementQuestion[],
): Promise<{ readonly now: number; readonly questions: readonly EntitlementQuestion[] } | null> => {
  const [latch] = await tx.query<{ now: number }>({
    name: 'entitlements-latch',
    text: `select (extract(epoch from muster.now()) * 1000)::bigint as now from muster.latch where name = 'policy' for update skip locked`,
  })
  if (latch === undefined) return null
  const questions = await tx.query<EntitlementQuestion>({
    name: 'entitlements-still-asked',
    text: `select ${columns} from unnest($1::int[], $2::text[], $3::text[]) as r(id, lookup_key, native_id)
      join muster.entitlement e on e.id = r.id
      where e.managed and e.lookup_key = r.lookup_key and e.native_id is not distinct from r.native_id`,
    values: [asked.map((q) => q.id), asked.map((q) => q.lookup_key), asked.map((q) => q.native_id)],
  })
  return { now: latch.now, questions }
}

/** Rows in no catalogue that have these native ids: what is pinned now was known under them. By native id. */
export const knownTwins = async (
  tx: Transaction,
  target: string,
  nativeIds: readonly string[],
): Promise<ReadonlyMap<string, number>> => {
  if (nativeIds.length === 0) return new Map()
  const rows = await tx.query<{ id: number; native_id: string }>({
    name: 'entitlements-known-twins',
    text: `select id, native_id from muster.entitlement where target = $1 and native_id = any($2) and not managed`,
    values: [target, nativeIds],
  })
  return new Map(rows.map(({ id, native_id }) => [native_id, id]))
}

export type EntitlementAnswer = {
  readonly id: number
  readonly contestedBy: string | null
  readonly keptBy: string | null
  readonly againMs: number
}

export const saveAnswers = async (tx: Transaction, answers: readonly EntitlementAnswer[]): Promise<void> => {
  if (answers.length === 0) return
  await tx.query({
    name: 'entitlements-answered',
    text: `update muster.entitlement e set asked_key = e.lookup_key, contested_by = r.contested_by, kept_by = r.kept_by,
        ask_at = (select muster.now()) + make_interval(secs => r.again / 1000)
      from unnest($1::int[], $2::text[], $3::float8[], $4::text[]) as r(id, contested_by, again, kept_by) where e.id = r.id`,
    values: [
      answers.map((a) => a.id),
      answers.map((a) => a.contestedBy),
      answers.map((a) => a.againMs),
      answers.map((a) => a.keptBy),
    ],
  })
}

/** No answer: all stays as it is, and is asked again after a pause. */
export const askLater = async (tx: Queryable, ids: readonly number[], ms: number): Promise<void> => {
  if (ids.length === 0) return
  await tx.query({
    name: 'entitlements-ask-later',
    text: `update muster.entitlement set ask_at = (select muster.now()) + make_interval(secs => $2::float8 / 1000) where id = any($1)`,
    values: [ids, ms],
  })
}

export const askLaterAll = async (tx: Queryable, target: string, ms: number): Promise<void> => {
  await tx.query({
    name: 'entitlements-ask-later-all',
    text: `update muster.entitlement set ask_at = (select muster.now()) + make_interval(secs => $2::float8 / 1000)
      where target = $1 and managed and ask_at <= (select muster.now())`,
    values: [target, ms],
  })
}

/**
 * Before the catalogue is changed: a contested name that is listed under another key by now means what it names, not what
 * was pinned under the old key. A human decided.
 */
export const releaseContested = async (
  tx: Transaction,
  entries: readonly { readonly target: string; readonly key: string; readonly lookup: string }[],
): Promise<void> => {
  await tx.query({
    text: `update muster.entitlement e set lookup_key = 'native-id=' || e.native_id
      from unnest($1::text[], $2::text[], $3::text[]) as r(target, key, lookup_key)
      where e.target = r.target and e.lookup_key = r.lookup_key and e.key <> r.key and e.managed
        and e.contested_by is not null and e.native_id is not null`,
    values: [entries.map((e) => e.target), entries.map((e) => e.key), entries.map((e) => lookupKey(e.lookup))],
  })
}

/** SoD policies by key: that count an entitlement itself, and that count what implies it. */
export type Duties = { readonly own: readonly string[]; readonly implied: readonly string[] }

/**
 * With each change of the catalogue: which SoD policies count each entitlement or what implies it, and whose target must say (again) what it
 * is: what was never resolved, has another lookup, or is contested. What is listed no longer is asked about no longer.
 */
export const saveDuties = async (tx: Transaction, duties: ReadonlyMap<number, Duties>): Promise<void> => {
  const named = (which: keyof Duties) =>
    JSON.stringify(Object.fromEntries([...duties].map(([id, policies]) => [id, policies[which]])))
  await tx.query({
    text: `update muster.entitlement e set
        duties = case when e.managed then coalesce((select array_agg(d order by d) from jsonb_array_elements_text($1::jsonb -> e.id::text) as d), '{}') else '{}' end,
        implied_duties = case when e.managed then coalesce((select array_agg(d order by d) from jsonb_array_elements_text($2::jsonb -> e.id::text) as d), '{}') else '{}' end,
        asked_key = case when e.managed and e.native_id is not null and e.contested_by is null then e.asked_key end,
        contested_by = case when e.managed then e.contested_by end,
        ask_at = case when e.managed and e.native_id is not null and e.contested_by is null and e.asked_key = e.lookup_key
          then e.ask_at else muster.now() end
      where e.managed or e.asked_key is not null or e.contested_by is not null or e.duties <> '{}' or e.implied_duties <> '{}'`,
    values: [named('own'), named('implied')],
  })
  await tx.query({
    text: `update muster.finding f set closed_at = muster.now() from muster.entitlement e
      where f.closed_at is null and f.kind = 'entitlement-changed-identity' and f.key = 'entitlement:' || e.id and not e.managed`,
  })
}

/**
 * What a complete read saw under the name of an entitlement that is another thing: the entitlement is contested from now
 * on. Those for which that is new.
 */
export const contestSeen = async (
  tx: Transaction,
  target: string,
  seen: readonly EntitlementSeen[],
): Promise<readonly { readonly id: number; readonly by: string }[]> => {
  if (seen.length === 0) return []
  return await tx.query({
    name: 'entitlements-contest',
    text: `update muster.entitlement e set contested_by = s.native_id, ask_at = (select muster.now())
      from unnest($2::text[], $3::text[]) as s(native_id, key)
      where e.target = $1 and e.lookup_key = s.key and e.managed and e.native_id is distinct from s.native_id
        and e.contested_by is distinct from s.native_id returning e.id, e.contested_by as by`,
    values: [target, seen.map(({ nativeId }) => nativeId), seen.map(({ name }) => lookupKey(name))],
  })
}
