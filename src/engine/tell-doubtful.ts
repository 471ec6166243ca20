import { linkedToAnother } from '../connectors/connector.ts'
import type { NativeId, TargetId } from '../domain/ids.ts'
import type { Outcome } from '../domain/outcome.ts'
import type { Transaction } from '../store/database.ts'
import { closeFindingsOf, openFinding } from '../store/findings.ts'
import { ownersOf } from '../store/links.ts'
import type { Unlinked } from '../store/unlinked.ts'
import { ambiguousFinding, ambiguousKey } from './ambiguous-account.ts'
import { notTheirs } from './apply-or-observe.ts'
import type { AuditedBy } from './audited-account.ts'

type Looked = {
  /** Whom the read told of. */
  readonly told: readonly { readonly person: Unlinked; readonly outcome: Outcome }[]
  /** Found, and somebody else's already, or said not to be theirs. */
  readonly taken: readonly { readonly person: Unlinked; readonly account: NativeId }[]
}

/** Several accounts, or one that is somebody else's: a human decides. Closes of whom it is certain by now. How many are not. */
export const tellDoubtful = async (
  tx: Transaction,
  target: TargetId,
  by: AuditedBy,
  { told, taken }: Looked,
): Promise<number> => {
  const ids = taken.map(({ account }) => account)
  const others = new Set(ids.length === 0 ? [] : (await ownersOf(tx, target, ids)).map(({ nativeId }) => nativeId))
  const doubtful = [
    ...told.flatMap(({ person, outcome }) =>
      outcome.kind === 'refused' && outcome.reason === 'account-ambiguous'
        ? [{ person, word: outcome.cause.word, doubt: outcome.doubt }]
        : [],
    ),
    ...taken.map(({ person, account }) => ({
      person,
      word: others.has(account) ? linkedToAnother : notTheirs,
      doubt: { by: null, accounts: [account] },
    })),
  ]
  for (const one of doubtful) await openFinding(tx, ambiguousFinding(by, { ...one, target, urgent: false }))
  const uncertain = new Set(doubtful.map(({ person }) => person.identity))
  await closeFindingsOf(
    tx,
    'account-ambiguous',
    told.flatMap(({ person }) => (uncertain.has(person.identity) ? [] : [ambiguousKey(target, person)])),
  )
  return doubtful.length
}
