/** How much is measured. `full` is what issue and BENCHMARKS.md speak of; `quick` keeps every row alive in CI. */
export type Scale = {
  /** People of one joiner wave, three groups each. */
  readonly joiners: number
  /** People of the wave before, which is not measured. */
  readonly warm: number
  /** Interleaved pairs (or triples) of whole waves. */
  readonly pairs: number
  /** Idle leavers one by one, of each side. */
  readonly leavers: number
  readonly leaverBlocks: number
  readonly load: { readonly seconds: number; readonly leavers: number; readonly idle: number; readonly share: number }
  readonly exodus: { readonly leavers: number; readonly members: number; readonly pairs: number }
  readonly ingest: { readonly messages: number; readonly warm: number; readonly pairs: number }
  readonly audit: { readonly entries: number; readonly pairs: number }
  readonly memory: { readonly stored: number; readonly events: number; readonly waves: number }
}

export const fullScale: Scale = {
  joiners: 10_000,
  warm: 2_000,
  pairs: 5,
  leavers: 500,
  leaverBlocks: 5,
  load: { seconds: 60, leavers: 300, idle: 300, share: 0.7 },
  exodus: { leavers: 1_000, members: 1_000, pairs: 5 },
  ingest: { messages: 20_000, warm: 5_000, pairs: 5 },
  audit: { entries: 50_000, pairs: 5 },
  memory: { stored: 100_000, events: 10_000, waves: 5 },
}

export const quickScale: Scale = {
  joiners: 600,
  warm: 200,
  pairs: 1,
  leavers: 40,
  leaverBlocks: 2,
  load: { seconds: 4, leavers: 20, idle: 20, share: 0.7 },
  exodus: { leavers: 100, members: 100, pairs: 1 },
  ingest: { messages: 2_000, warm: 1_000, pairs: 1 },
  audit: { entries: 5_000, pairs: 2 },
  memory: { stored: 5_000, events: 500, waves: 5 },
}
