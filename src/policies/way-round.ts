/** A shortest way from something back to itself, both ends named, or null. */
export const wayRound = (next: (key: string) => readonly string[], key: string): readonly string[] | null => {
  const seen = new Set<string>()
  const queue: (readonly string[])[] = [[key]]
  for (const path of queue) {
    for (const one of next(path.at(-1) as string)) {
      if (one === key) return [...path, key]
      if (seen.has(one)) continue
      seen.add(one)
      queue.push([...path, one])
    }
  }
  return null
}
