import { linkedToAnother } from '../connectors/connector.ts'
import type { TargetId } from '../domain/ids.ts'
import type { Doubt, Outcome } from '../domain/outcome.ts'
import type { Finding } from '../store/findings.ts'
import { notTheirs } from './apply-or-observe.ts'
import type { AuditedBy } from './audited-account.ts'

/** How many accounts a finding names. */
const named = 10

type Ambiguous = {
  readonly target: TargetId
  readonly person: { readonly identity: number; readonly subject_ref: string }
  /** Why nobody can say which account is theirs. */
  readonly word: string
  readonly doubt: Doubt | undefined
  readonly urgent: boolean
  /** The action that waits for it. */
  readonly action?: number
}

/** One of a person on a target, whoever comes upon it: a read that looks people up, or the action that needs the account. */
export const ambiguousKey = (target: TargetId, { subject_ref }: { readonly subject_ref: string }): string =>
  `${subject_ref}:${target}`

/** Accounts are named where their native ids are no personal data; how many there are is said of all. */
export const ambiguousFinding = (
  by: AuditedBy,
  { target, person, word, doubt, urgent, action }: Ambiguous,
): Finding => ({
  kind: 'account-ambiguous',
  key: ambiguousKey(target, person),
  urgent,
  identityId: person.identity,
  detail: {
    target,
    word,
    ...(doubt === undefined ? {} : doubtDetail(by, doubt)),
    ...(action === undefined ? {} : { action }),
  },
})

const doubtDetail = (audited: AuditedBy, { by, accounts }: Doubt): Finding['detail'] => {
  const names = audited === 'native-id' ? accounts.slice(0, named) : []
  return {
    ...(by === null ? {} : { by }),
    ...(names.length === 0 ? {} : { accounts: names.join(' ') }),
    ...(names.length === accounts.length ? {} : { found: accounts.length }),
  }
}

/** Of an account that was found, and could not be linked: somebody else's, or of which a human said that it is not this person's. */
export const takenDoubt = (
  outcome: Outcome,
  not: readonly string[] | null,
): { readonly word: string; readonly doubt: Doubt | undefined } => {
  const account = outcome.kind === 'done' ? outcome.account?.nativeId : undefined
  return account === undefined
    ? { word: linkedToAnother, doubt: undefined }
    : { word: not?.includes(account) === true ? notTheirs : linkedToAnother, doubt: { by: null, accounts: [account] } }
}
