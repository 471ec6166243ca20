import type { NativeId } from '../../domain/ids.ts'
import type { GraphClient, Reading } from './client.ts'
import type { EntraSettings } from './config.ts'
import type { GroupMemory } from './groups.ts'

/** What the verbs of this connector work with. */
export type Directory = {
  readonly client: GraphClient
  readonly settings: EntraSettings
  readonly memory: GroupMemory
  /** How many members a group had when it was last listed: decides only how it is read next time. */
  readonly sizes: Map<NativeId, number>
}

/** Reads that nobody waits for: the first that Graph may put off. */
export const lowPriority = (signal?: AbortSignal): Reading => ({ priority: 'Low', signal })
