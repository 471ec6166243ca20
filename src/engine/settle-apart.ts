import type { Outcome } from '../domain/outcome.ts'
import { errorFields } from '../log.ts'
import { isDataFault, sqlState } from '../store/database.ts'
import { openFinding } from '../store/findings.ts'
import type { Claim, ClaimedAction } from './claim.ts'
import type { Engine } from './engine.ts'
import type { Settled, Verdict } from './verdict.ts'

export type Settling = {
  /** One transaction: all of these, or none. `over`: the dispatch ends with them. */
  readonly together: (verdicts: readonly Verdict[], over: boolean) => Promise<Settled>
  readonly verdictOf: (action: ClaimedAction, outcome: Outcome) => Verdict
}

/**
 * The database refuses the values of some outcome: the others of its dispatch are recorded, in halves, and that one becomes
 * unknown with a finding, because what its call did stands nowhere. Transactions: some two for each doubling and bad element.
 */
export const settleApart = async (
  engine: Engine,
  claim: Claim,
  verdicts: readonly Verdict[],
  settling: Settling,
): Promise<Settled> => {
  let left = 0
  const halves = async (some: readonly Verdict[]): Promise<Settled> => {
    const middle = Math.ceil(some.length / 2)
    for (const half of [some.slice(0, middle), some.slice(middle)].filter(({ length }) => length > 0)) {
      const settled = await settling.together(half, false).catch(async (error: unknown) => {
        if (!isDataFault(error)) throw error
        const [first] = half
        if (half.length > 1 || first === undefined) return await halves(half)
        return await unrecorded(first, error)
      })
      if (settled === 'rejected') return settled
    }
    return 'settled'
  }

  const unrecorded = async ({ action }: Verdict, error: unknown): Promise<Settled> => {
    engine.log.error(
      { dispatch: claim.dispatch, action: action.id, ...errorFields(error) },
      'an outcome cannot be recorded: it is read back',
    )
    await openFinding(engine.db, {
      kind: 'outcome-not-recorded',
      key: `action:${action.id}`,
      urgent: claim.lane === 'leaver',
      identityId: action.identity_id,
      detail: {
        target: claim.target,
        kind: action.kind,
        entitlement: action.entitlement_id,
        code: sqlState(error) ?? '',
      },
    })
    const cause = { code: sqlState(error) ?? '', word: 'outcome-not-recorded' }
    try {
      return await settling.together([settling.verdictOf(action, { kind: 'unknown', cause })], false)
    } catch (second) {
      if (!isDataFault(second)) throw second
      // Not even that: its lease runs out, and the sweeper takes the rest of this dispatch.
      left++
      return 'settled'
    }
  }

  const settled = await halves(verdicts)
  return settled === 'rejected' || left > 0 ? settled : await settling.together([], true)
}
