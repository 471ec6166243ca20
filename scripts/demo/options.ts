/** What `npm run demo -- …` was asked for. */

export type DemoOptions = {
  /** NDJSON for machines: one object a line on stdout. */
  readonly json: boolean
  /** Everything stays up at the end. */
  readonly keep: boolean
  /** How many workers join around Amit. */
  readonly feed: number
}

export const usage = `npm run demo -- [--json] [--keep] [--feed N]
  --json     one JSON object a line, for machines
  --keep     leave everything running at the end, and say how to look around
  --feed N   how many workers join around the story (default 2000)
`

/** null: the words are not understood. */
export const parseOptions = (words: readonly string[]): DemoOptions | null => {
  const rest = [...words]
  let options: DemoOptions = { json: false, keep: false, feed: 2000 }
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--json') options = { ...options, json: true }
    else if (word === '--keep') options = { ...options, keep: true }
    else if (word === '--feed') {
      const feed = Number(rest.shift())
      if (!Number.isSafeInteger(feed) || feed < 50 || feed > 50_000) return null
      options = { ...options, feed }
    } else return null
  }
  return options
}
