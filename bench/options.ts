import { parseArgs } from 'node:util'
import { type RowName, rowNames } from './row.ts'
import { fullScale, quickScale, type Scale } from './scale.ts'

export type Options = {
  readonly scale: Scale
  readonly quick: boolean
  readonly rows: readonly RowName[]
  readonly json: boolean
  readonly write: boolean
  readonly profile: boolean
}

export const usage = `npm run bench -- [--quick] [--only ROW,…] [--pairs N] [--joiners N] [--profile] [--json] [--write]
  --quick     small sizes, under a minute, without memberof: that it works, not how fast it is
  --only      rows of: ${rowNames.join(', ')}
  --pairs     interleaved pairs of every row that has pairs
  --joiners   people of one joiner wave
  --profile   processor profiles of the engine in bench/out/profiles (costs speed)
  --json      one JSON object on stdout instead of a table
  --write     writes the table into BENCHMARKS.md
Exit codes: 0 measured and every result right, 1 a run was void or failed, 2 usage. A missed goal is no failure.
`

/** null: not understood. */
export const readOptions = (argv: readonly string[]): Options | null => {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        pairs: { type: 'string' },
        joiners: { type: 'string' },
        json: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
        profile: { type: 'boolean', default: false },
      },
    })
    const wanted =
      values.only?.split(',').map((name) => name.trim()) ??
      rowNames.filter((name) => !values.quick || name !== 'memberof')
    const rows = rowNames.filter((name) => wanted.includes(name))
    if (wanted.some((name) => !rowNames.some((row) => row === name)) || rows.length === 0) return null
    const scale = values.quick ? quickScale : fullScale
    const pairs = positive(values.pairs)
    const joiners = positive(values.joiners)
    if (pairs === null || joiners === null) return null
    return {
      rows,
      quick: values.quick,
      json: values.json,
      write: values.write,
      profile: values.profile,
      scale: {
        ...scale,
        ...(pairs === undefined ? {} : withPairs(scale, pairs)),
        ...(joiners === undefined ? {} : { joiners }),
      },
    }
  } catch {
    return null
  }
}

const withPairs = ({ exodus, ingest, audit, reconcile, ldap }: Scale, pairs: number): Partial<Scale> => ({
  pairs,
  exodus: { ...exodus, pairs },
  ingest: { ...ingest, pairs },
  audit: { ...audit, pairs },
  reconcile: { ...reconcile, pairs },
  ldap: { ...ldap, pairs },
})

const positive = (text: string | undefined): number | undefined | null =>
  text === undefined ? undefined : /^[1-9]\d{0,6}$/.test(text) ? Number(text) : null
