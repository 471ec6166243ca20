import type { Database } from '../../src/store/database.ts'

/** The one clock of the house, moved as its owner may. It never goes back. */
export type HouseClock = ReturnType<typeof houseClock>

export const houseClock = (admin: Database) => ({
  now: async (): Promise<number> => {
    const [row] = await admin.query<{ at: number }>({
      text: 'select (extract(epoch from muster.now()) * 1000)::bigint as at',
    })
    return row?.at ?? 0
  },
  /** The first setting may be any; later ones only go on. */
  begin: (at: string) =>
    admin.query({ text: 'update muster.clock set shift = $1::timestamptz - clock_timestamp()', values: [at] }),
  to: (at: string) =>
    admin.query({
      text: 'update muster.clock set shift = greatest(shift, $1::timestamptz - clock_timestamp())',
      values: [at],
    }),
  on: (ms: number) =>
    admin.query({
      text: 'update muster.clock set shift = shift + make_interval(secs => $1::float8 / 1000)',
      values: [ms],
    }),
})
