import {
  finishRecheck,
  hasRechecks,
  lockRechecks,
  makeDueOfOtherPolicies,
  makeDueSinceModes,
} from '../store/rechecks.ts'
import type { Engine } from './engine.ts'

/**
 * A change of the policy or of a target's mode makes due everybody that it can see. Somebody whose first event commits
 * while it runs may be evaluated by the old state: found here, within two sweeps.
 */
export const recheck = async (engine: Engine): Promise<void> => {
  if (!(await hasRechecks(engine.db))) return
  const found = await engine.db.transaction(async (tx) => {
    let count = 0
    for (const { kind, over } of await lockRechecks(tx)) {
      // The policy of an evaluation stands on its row; by which modes it went, only the time says, so once, at the end.
      if (kind === 'policy') count += await makeDueOfOtherPolicies(tx)
      else if (over) count += await makeDueSinceModes(tx)
      if (over) await finishRecheck(tx, kind)
    }
    return count
  })
  if (found === 0) return
  engine.log.info({ identities: found }, 'came while the policy or a mode was changed: evaluated again')
  for (const lane of ['leaver', 'bulk'] as const) engine.nudge('evaluate', lane)
}
