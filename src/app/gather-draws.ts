import type { Budget, Draw, Taken } from '../connectors/budget.ts'

type Waiting = {
  readonly draws: readonly Draw[]
  readonly resolve: (taken: Taken) => void
  readonly reject: (error: unknown) => void
}

/**
 * Draws that come while another one is under way are taken together by the next: calls side by side would wait for one
 * another at the same rows. What cannot be had together is asked for one by one, so that nobody is refused for another's sake.
 * `floorOf`: what must be left in a bucket.
 */
export const gatherDraws = (take: Budget['take'], floorOf: (bucket: Draw['bucket']) => number): Budget['take'] => {
  let gathered: Waiting[] = []
  let taking = false

  const each = async ({ draws, resolve, reject }: Waiting): Promise<void> => {
    try {
      resolve(await take(draws))
    } catch (error) {
      reject(error)
    }
  }
  const takeAll = async (some: readonly Waiting[]): Promise<void> => {
    const sum = some.length < 2 ? null : sumOf(some.map(({ draws }) => draws))
    // More than a bucket can hold is granted from a full one, to one wish: not to the sum of several.
    if (sum?.every(({ bucket, units }) => units + floorOf(bucket) <= bucket.capacity)) {
      const taken = await take(sum).catch(() => null)
      if (taken?.ok) {
        for (const { resolve } of some) resolve(taken)
        return
      }
    }
    for (const one of some) await each(one)
  }
  const run = async (): Promise<void> => {
    taking = true
    while (gathered.length > 0) {
      const some = gathered
      gathered = []
      await takeAll(some)
    }
    taking = false
  }
  return (draws) =>
    new Promise((resolve, reject) => {
      gathered.push({ draws, resolve, reject })
      if (!taking) {
        taking = true
        // Whoever asks in the same turn of the loop comes along.
        setImmediate(run)
      }
    })
}

const sumOf = (wishes: readonly (readonly Draw[])[]): readonly Draw[] => {
  const sums = new Map<string, Draw>()
  for (const { bucket, units } of wishes.flat()) {
    const before = sums.get(bucket.name)?.units ?? 0
    sums.set(bucket.name, { bucket, units: before + units })
  }
  return [...sums.values()]
}
