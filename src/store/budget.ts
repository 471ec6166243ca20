import { randomUUID } from 'node:crypto'
import type { Queryable } from './database.ts'

type Bucket = { readonly name: string; readonly capacity: number; readonly perSecond: number }
type Taken = { readonly ok: true } | { readonly ok: false; readonly waitMs: number }

/**
 * Units of buckets, all or none. `floor`: what must be left in the bucket. A transaction of its own that waits for no disk: every
 * call of a target is preceded by one, and what a crash of PostgreSQL makes forgotten are the draws of less than a second.
 */
export const draw = async (
  db: Queryable,
  target: string,
  draws: readonly { readonly bucket: Bucket; readonly units: number; readonly floor: number }[],
): Promise<Taken> => {
  const [row] = await db.query<{ wait: number }>({
    name: 'budget-draw',
    text: `select muster.draw($1, $2, $3, $4, $5, $6) as wait from set_config('synchronous_commit', 'off', true)`,
    values: [
      target,
      draws.map(({ bucket }) => bucket.name),
      draws.map(({ bucket }) => bucket.capacity),
      draws.map(({ bucket }) => bucket.perSecond),
      draws.map(({ units }) => units),
      draws.map(({ floor }) => floor),
    ],
  })
  const waitMs = row?.wait ?? 0
  return waitMs === 0 ? { ok: true } : { ok: false, waitMs }
}

/** Nobody draws from it for so long; an earlier word of the same kind that reaches further stands. */
export const closeBucket = async (db: Queryable, target: string, bucket: Bucket, forMs: number): Promise<void> => {
  await db.query({
    name: 'budget-close',
    text: `insert into muster.bucket (target, name, level, at, closed_until)
      values ($1, $2, 0, muster.now(), muster.now() + make_interval(secs => $3::float8 / 1000))
      on conflict (target, name) do update set closed_until = greatest(muster.bucket.closed_until, excluded.closed_until)`,
    values: [target, bucket.name, forMs],
  })
}

export const occupy = async (
  db: Queryable,
  target: string,
  places: readonly { readonly name: string; readonly max: number }[],
  forMs: number,
): Promise<{ readonly ok: true; readonly id: string } | { readonly ok: false; readonly waitMs: number }> => {
  const id = randomUUID()
  const [row] = await db.query<{ wait: number }>({
    name: 'budget-occupy',
    text: 'select muster.occupy($1, $2, $3, $4, $5) as wait',
    values: [target, places.map(({ name }) => name), places.map(({ max }) => max), id, forMs],
  })
  const waitMs = row?.wait ?? 0
  return waitMs === 0 ? { ok: true, id } : { ok: false, waitMs }
}

/** All names of a place end at once, and whoever takes one that has ended deletes it: what is updated here was never lost. */
export const renew = async (db: Queryable, target: string, id: string, forMs: number): Promise<boolean> => {
  const rows = await db.query({
    name: 'budget-renew',
    text: `update muster.place set until = muster.now() + make_interval(secs => $3::float8 / 1000)
      where target = $1 and id = $2 and until > muster.now() returning id`,
    values: [target, id, forMs],
  })
  return rows.length > 0
}

const dayMs = 86_400_000

/**
 * What was occupied and is over for a day: a name of it may tell of a person, and is needed no more. What is drawn from stays, unless it
 * was empty and nobody has drawn since: a new one is full, as it is by then.
 */
export const forgetPlaces = async (db: Queryable): Promise<void> => {
  await db.query({
    name: 'budget-forget-places',
    text: 'delete from muster.place where until <= (select muster.now()) - make_interval(secs => $1::float8 / 1000)',
    values: [dayMs],
  })
  await db.query({
    name: 'budget-forget-buckets',
    text: `delete from muster.bucket where ctid = any(array(select b.ctid from muster.bucket b
      where b.level = 0 and b.closed_until is null and b.at <= (select muster.now()) - make_interval(secs => $1::float8 / 1000)
        and not exists (select from muster.place p where p.target = b.target and p.name = b.name) for update skip locked))`,
    values: [dayMs],
  })
}

export const vacate = async (db: Queryable, target: string, id: string): Promise<void> => {
  await db.query({
    name: 'budget-vacate',
    text: 'delete from muster.place where target = $1 and id = $2',
    values: [target, id],
  })
}
