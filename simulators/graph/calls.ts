/** What was asked of the service: the witness's book. */
export type Call = {
  readonly number: number
  readonly epochMs: number
  readonly operation: string
  readonly method: string
  /** Path and query. */
  readonly address: string
  readonly status: number
  readonly units: number
  readonly writes: number
  readonly priority: string
  readonly appId: string
  readonly requestId: string
  readonly clientRequestId: string
  /** Id of the part, if it came in a batch. */
  readonly part: string | null
  /** What was done to it on order. */
  readonly fault: string | null
}

export type Counts = {
  readonly requests: number
  readonly units: number
  readonly writes: number
  readonly throttled: number
  readonly byOperation: Readonly<Record<string, number>>
  readonly byStatus: Readonly<Record<string, number>>
}

export type Calls = {
  readonly add: (call: Omit<Call, 'number'>) => void
  readonly list: () => readonly Call[]
  readonly counts: () => Counts
  readonly clear: () => void
}

/** Counts everything, keeps the last `keep` calls. */
export const openCalls = (keep: number): Calls => {
  let calls: Call[] = []
  let number = 0
  const fresh = () => ({
    requests: 0,
    units: 0,
    writes: 0,
    throttled: 0,
    byOperation: {} as Record<string, number>,
    byStatus: {} as Record<string, number>,
  })
  let sums = fresh()
  return {
    add: (call) => {
      number++
      calls.push({ number, ...call })
      if (calls.length > keep * 2) calls = calls.slice(-keep)
      sums.requests++
      sums.units += call.units
      sums.writes += call.writes
      if (call.status === 429) sums.throttled++
      sums.byOperation[call.operation] = (sums.byOperation[call.operation] ?? 0) + 1
      sums.byStatus[call.status] = (sums.byStatus[call.status] ?? 0) + 1
    },
    list: () => calls.slice(-keep),
    counts: () => ({ ...sums, byOperation: { ...sums.byOperation }, byStatus: { ...sums.byStatus } }),
    clear: () => {
      calls = []
      sums = fresh()
    },
  }
}
