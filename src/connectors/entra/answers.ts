import type { Outcome, RefusalReason } from '../../domain/outcome.ts'

export const refused = (reason: RefusalReason, word: string, code = ''): Outcome => ({
  kind: 'refused',
  reason,
  cause: { code, word },
})
export const missingAccount = refused('account-missing', 'account-missing')
export const retry = (word: string, code = ''): Outcome => ({ kind: 'retry', cause: { code, word } })

/** How long whoever wants to change what an Active Directory masters waits for its connector and its sync. */
const masteredElsewhereMs = 60_000
export const masteredElsewhere: Outcome = {
  kind: 'retry',
  retryAfterMs: masteredElsewhereMs,
  cause: { code: '', word: 'mastered-elsewhere', awaited: [] },
}
