import type { Lane } from '../domain/action.ts'

export const roles = ['ingest', 'evaluate', 'dispatch', 'provision', 'schedule'] as const
/** What a process does. Any number of processes may do the same. */
export type Role = (typeof roles)[number]

const laneless: ReadonlySet<Role> = new Set(['ingest', 'schedule'])

/** A role in a lane, as processes say what they do: `ingest`, `evaluate leaver` … */
export const partsOf = (some: readonly Role[], lanes: readonly Lane[]): readonly string[] =>
  some.flatMap((role) => (laneless.has(role) ? [role] : lanes.map((lane) => `${role} ${lane}`)))
