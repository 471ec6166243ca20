import type { Database } from '../../src/store/database.ts'

/** The one clock of the house, moved as its owner may. It never goes back. */
export type HouseClock = ReturnType<typeof houseClock>

const fromTo = (clock: string, at: string): string => `${clock} + (${at} - muster.now())`

export const houseClock = (admin: Database) => ({
  now: async (): Promise<number> => {
    const [row] = await admin.query<{ at: number }>({
      text: 'select (extract(epoch from muster.now()) * 1000)::bigint as at',
    })
    return row?.at ?? 0
  },
  /**
   * Sets it to any moment, and slows it down: how long a busy machine takes for a step must not carry the house past the
   * second before midnight. It still runs, so that what comes later is later.
   */
  begin: async (at: string): Promise<void> => {
    const [row] = await admin.query<{ text: string }>({
      text: `select format('create or replace function muster.now() returns timestamptz language sql stable parallel safe as
        $now$ select %L::timestamptz + (select shift from muster.clock) + (clock_timestamp() - %L::timestamptz) / 10 $now$',
        clock_timestamp(), clock_timestamp()) as text`,
    })
    await admin.query({ text: row?.text ?? '' })
    await admin.query({ text: `update muster.clock set shift = ${fromTo('shift', '$1::timestamptz')}`, values: [at] })
  },
  to: (at: string) =>
    admin.query({
      text: `update muster.clock set shift = greatest(shift, ${fromTo('shift', '$1::timestamptz')})`,
      values: [at],
    }),
  on: (ms: number) =>
    admin.query({
      text: 'update muster.clock set shift = shift + make_interval(secs => $1::float8 / 1000)',
      values: [ms],
    }),
})
