import type { Lane } from '../domain/action.ts'

export const roles = ['ingest', 'evaluate', 'dispatch', 'provision', 'schedule'] as const
/** What a process does. Any number of processes may do the same. */
export type Role = (typeof roles)[number]

/**
 * Whether a process with these roles evaluates anybody: the schedule does where leavers are neglected. Only such a one makes everybody
 * due for what its muster.yaml says: for another process they would be evaluated by what that one's says.
 */
export const plans = (does: (role: Role) => boolean): boolean => does('evaluate') || does('schedule')

const laneless: ReadonlySet<Role> = new Set(['ingest', 'schedule'])

/** A role in a lane, as processes say what they do: `ingest`, `evaluate leaver` … */
export const partsOf = (some: readonly Role[], lanes: readonly Lane[]): readonly string[] =>
  some.flatMap((role) => (laneless.has(role) ? [role] : lanes.map((lane) => `${role} ${lane}`)))
