import { type LinkRefusals, linkedToAnother } from '../connectors/connector.ts'
import type { NativeId } from '../domain/ids.ts'
import type { Outcome } from '../domain/outcome.ts'
import { errorFields } from '../log.ts'
import { ownersOf } from '../store/links.ts'
import type { Claim } from './claim.ts'
import type { Engine } from './engine.ts'

const anothers = (account: NativeId): Outcome => ({
  kind: 'refused',
  reason: 'account-ambiguous',
  cause: { code: '', word: linkedToAnother },
  doubt: { by: null, accounts: [account] },
})
/** It may be theirs by now: the next attempt names it. */
const linkedMeanwhile: Outcome = { kind: 'retry', cause: { code: '', word: 'linked-meanwhile' } }
const notReadBefore: Outcome = { kind: 'retry', cause: { code: '', word: 'not-read-before', elsewhere: true } }

/** An account that is linked already is nobody's to find: what is wanted of another person must not be written to it. */
export const linkRefusals =
  ({ db, log }: Pick<Engine, 'db' | 'log'>, { target, actions }: Pick<Claim, 'target' | 'actions'>): LinkRefusals =>
  async (accounts) => {
    const people = new Set(
      actions.flatMap(({ kind, account_native, identity_id }) =>
        kind === 'ensureAccount' && account_native === null ? [identity_id] : [],
      ),
    )
    try {
      const owned = await ownersOf(db, target, accounts)
      return new Map(
        owned.map(({ nativeId, identity }) => [nativeId, people.has(identity) ? linkedMeanwhile : anothers(nativeId)]),
      )
    } catch (error) {
      log.warn({ target, ...errorFields(error) }, 'whose the accounts are that were found could not be read')
      return new Map(accounts.map((account): [NativeId, Outcome] => [account, notReadBefore]))
    }
  }
