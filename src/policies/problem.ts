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

/** Levenshtein distance; stops early and answers at least `enough` when it would be that or more. */
const editDistance = (a: string, b: string, enough: number): number => {
  if (Math.abs(a.length - b.length) >= enough) return enough
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const replace = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(replace, (previous[j] as number) + 1, (current[j - 1] as number) + 1))
    }
    previous = current
  }
  return previous[b.length] as number
}
