export const roles = ['ingest', 'evaluate', 'dispatch', 'provision', 'schedule'] as const
/** What a process does. Any number of processes may do the same. */
export type Role = (typeof roles)[number]
