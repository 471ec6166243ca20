import { isUnavailable } from '../store/database.ts'

/** The database cannot be reached right now: wait and repeat, do not blame the work. */
export const isOutage = (error: unknown): boolean => isUnavailable(error)
