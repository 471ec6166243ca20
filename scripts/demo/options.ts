/** What `npm run demo -- …` was asked for. */
import { join, resolve } from 'node:path'
import { checkout } from '../stack/download.ts'
import { optionalPartNames, type Part } from '../stack/part.ts'

export type DemoOptions = {
  /** NDJSON for machines: one object a line on stdout. */
  readonly json: boolean
  /** Everything stays up at the end. */
  readonly keep: boolean
  /** How many workers join around Amit. */
  readonly feed: number
  /** Where its parts keep their data and logs. */
  readonly dir: string
  /** Parts whose targets the last chapters do without. */
  readonly without: readonly Part[]
}

export const usage = `npm run demo -- [--json] [--keep] [--feed N] [--dir DIR] [--without PART]…
  --json     one JSON object a line, for machines
  --keep     leave everything running at the end, and say how to look around
  --feed N   how many workers join around the story (default 2000)
  --dir DIR  where its parts keep data and logs (default .stack/demo)
  --without PART  leave the targets on samba, graph or aws out of the chapters on every target
`

/** A text: why the words are not understood. */
export const parseOptions = (words: readonly string[]): DemoOptions | string => {
  const rest = [...words]
  let options: DemoOptions = {
    json: false,
    keep: false,
    feed: 2000,
    dir: join(checkout, '.stack', 'demo'),
    without: [],
  }
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--json') options = { ...options, json: true }
    else if (word === '--keep') options = { ...options, keep: true }
    else if (word === '--feed') {
      const feed = Number(rest.shift())
      if (!Number.isSafeInteger(feed) || feed < 50 || feed > 50_000) return '--feed wants a number from 50 to 50000'
      options = { ...options, feed }
    } else if (word === '--dir') {
      const dir = rest.shift()
      if (dir === undefined) return '--dir wants a directory'
      options = { ...options, dir: resolve(dir) }
    } else if (word === '--without') {
      const name = rest.shift()
      const part = optionalPartNames.find((one) => one === name && one !== 'moto')
      if (part === undefined) return '--without wants samba, graph or aws'
      options = { ...options, without: [...options.without, part] }
    } else return `unknown: ${word}`
  }
  return options
}
