import { errorFields } from '../log.ts'
import { isTimeout, isUnavailable, sqlState } from '../store/database.ts'

const systemFault = Symbol('system fault')

/** Marks an error as nobody's in particular: what every evaluation needs is missing. An outage stays an outage. */
export const blameSystem = (error: unknown): never => {
  if (isUnavailable(error)) throw error
  throw Object.assign(new Error('evaluation is impossible', { cause: error }), { [systemFault]: true })
}

/** Missing rights and tables (42, 3D, 3F), a refused login (28), what the server cannot do (0A, 25, 26): the same for everybody. */
const systemStates = /^(0A|2[568]|3D|3F|42)/

export const isSystemFault = (error: unknown): boolean =>
  (error as { [systemFault]?: true } | null)?.[systemFault] === true ||
  (!isTimeout(error) && systemStates.test(sqlState(error) ?? ''))

/** The server's own disks and bugs (58, XX): it may hit one identity alone, and is not that one's fault either. */
export const isServerFault = (error: unknown): boolean => /^(58|XX)/.test(sqlState(error) ?? '')

/** Without what the error may quote. */
export const faultFields = (error: unknown): { readonly error: string; readonly code: string; readonly at: string } => {
  const reason = (error as { [systemFault]?: true; cause?: unknown } | null)?.[systemFault]
    ? (error as Error).cause
    : error
  const { error: name, code, at } = errorFields(reason)
  return { error: String(name), code: String(code ?? ''), at: String(at ?? '') }
}
