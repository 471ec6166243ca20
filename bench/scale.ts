/** How much is measured. `full` is what issue and BENCHMARKS.md speak of; `quick` keeps every row alive in CI. */
export type Scale = {
  /** People of one joiner wave, three groups each. */
  readonly joiners: number
  /** People of the wave before, which is not measured. */
  readonly warm: number
  /** People of the wave before the counted one; 0: counted from the engine's start. */
  readonly countedAfter: number
  /** Interleaved pairs (or triples) of whole waves. */
  readonly pairs: number
  /** Idle leavers one by one, of each side. */
  readonly leavers: number
  readonly leaverBlocks: number
  /** As many idle as loaded ones, in blocks that alternate; `seconds` of joiners in all of them together. */
  readonly load: { readonly seconds: number; readonly leavers: number; readonly blocks: number; readonly share: number }
  readonly exodus: {
    readonly shapes: 1 | 2
    /** Calls of the directory are counted in runs of their own, so that no timed run carries the probe. */
    readonly countedApart: boolean
    readonly leavers: number
    readonly members: number
    readonly pairs: number
  }
  readonly ingest: { readonly messages: number; readonly warm: number; readonly pairs: number }
  readonly audit: { readonly entries: number; readonly pairs: number }
  readonly reconcile: {
    readonly people: number
    readonly groups: number
    readonly each: number
    readonly pairs: number
  }
  /** Memberships straight through the LDAP connector: three groups each. */
  readonly ldap: { readonly people: number; readonly pairs: number }
  /** Parts of the measured time, and how long each is, s of Graph's time; it passes `speed` times as fast as ours. */
  readonly graph: { readonly windows: number; readonly seconds: number; readonly speed: number }
  /** The same of AWS, in real time. */
  readonly aws: { readonly windows: number; readonly seconds: number }
  readonly assignments: { readonly windows: number; readonly seconds: number }
  /** Leavers of all four kinds of target, of each side. */
  /** `staying`: people beside the leavers, so that these are not a quarter of all: then the guard counts everybody anew for each. */
  readonly everywhere: {
    readonly leavers: number
    readonly blocks: number
    readonly warm: number
    readonly staying: number
  }
  readonly memory: { readonly stored: number; readonly events: number; readonly waves: number }
}

export const fullScale: Scale = {
  joiners: 10_000,
  warm: 2_000,
  countedAfter: 2_000,
  pairs: 5,
  leavers: 500,
  leaverBlocks: 5,
  load: { seconds: 90, leavers: 450, blocks: 5, share: 0.7 },
  exodus: { shapes: 2, countedApart: true, leavers: 1_000, members: 1_000, pairs: 5 },
  ingest: { messages: 60_000, warm: 10_000, pairs: 5 },
  audit: { entries: 50_000, pairs: 5 },
  reconcile: { people: 100_000, groups: 300, each: 3, pairs: 5 },
  ldap: { people: 10_000, pairs: 5 },
  graph: { windows: 5, seconds: 30, speed: 5 },
  aws: { windows: 5, seconds: 6 },
  assignments: { windows: 5, seconds: 12 },
  everywhere: { leavers: 200, blocks: 5, warm: 20, staying: 600 },
  memory: { stored: 100_000, events: 10_000, waves: 5 },
}

export const quickScale: Scale = {
  joiners: 400,
  warm: 100,
  countedAfter: 0,
  pairs: 1,
  leavers: 20,
  leaverBlocks: 1,
  load: { seconds: 3, leavers: 10, blocks: 1, share: 0.7 },
  exodus: { shapes: 1, countedApart: false, leavers: 50, members: 40, pairs: 1 },
  ingest: { messages: 8_000, warm: 5_000, pairs: 1 },
  audit: { entries: 5_000, pairs: 1 },
  reconcile: { people: 500, groups: 10, each: 3, pairs: 1 },
  ldap: { people: 400, pairs: 1 },
  graph: { windows: 1, seconds: 10, speed: 5 },
  aws: { windows: 1, seconds: 3 },
  assignments: { windows: 1, seconds: 6 },
  everywhere: { leavers: 5, blocks: 1, warm: 2, staying: 20 },
  memory: { stored: 5_000, events: 200, waves: 2 },
}
