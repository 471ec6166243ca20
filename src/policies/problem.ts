/** One mistake in the policy files, told so that its author can mend it. Lines and columns count from 1. */
export type Problem = {
  readonly path: string
  readonly line: number
  readonly column: number
  readonly message: string
  /** What to do about it; null when the message says it all. */
  readonly hint: string | null
}

/** "did you mean …?" for the nearest of the known names, or null when none is near. */
export const didYouMean = (written: string, known: Iterable<string>): string | null => {
  const limit = Math.max(1, Math.floor(written.length / 3))
  let best: { readonly name: string; readonly distance: number } | null = null
  for (const name of known) {
    const distance = editDistance(written.toLowerCase(), name.toLowerCase(), best?.distance ?? limit + 1)
    if (distance <= limit && (best === null || distance < best.distance)) best = { name, distance }
  }
  return best === null ? null : `did you mean ${best.name}?`
}

/** Edits to turn one into the other, two swapped letters being one; answers `enough` at once when it is surely that many. */
const editDistance = (a: string, b: string, enough: number): number => {
  if (Math.abs(a.length - b.length) >= enough) return enough
  let beforeLast: readonly number[] = []
  let previous: readonly number[] = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const replace = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swap = swapped ? (beforeLast[j - 2] as number) + 1 : replace
      current.push(Math.min(replace, swap, (previous[j] as number) + 1, (current[j - 1] as number) + 1))
    }
    beforeLast = previous
    previous = current
  }
  return previous[b.length] as number
}
