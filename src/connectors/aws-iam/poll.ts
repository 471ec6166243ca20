import type { Outcome } from '../../domain/outcome.ts'
import { retry } from '../aws-wire/errors.ts'
import type { PendingOperation } from '../connector.ts'
import { settlingPollMs } from './change-role.ts'
import { readHandle } from './handle.ts'
import type { Iam } from './iam.ts'
import { observe } from './observe.ts'

/** What reads say now; a change that IAM confirmed and no read shows is «not yet» until the time is over. */
export const poll = async (iam: Iam, pending: readonly PendingOperation[]): Promise<readonly Outcome[]> => {
  const seen = await observe(
    iam,
    pending.map(({ operation }) => operation),
  )
  return pending.map(({ handle }, at): Outcome => {
    const one = seen[at] ?? retry('not-begun')
    const { until = 0, unfinished = [] } = readHandle(handle) ?? {}
    if (one.kind === 'done')
      return {
        ...one,
        changed: true,
        evidence: { ...one.evidence, code: '0' },
        ...(unfinished.length === 0 ? {} : { unfinished }),
      }
    const isNotYet = (one.kind === 'retry' || one.kind === 'unknown') && iam.tools.now() < until
    return isNotYet ? { kind: 'pending', handle, pollAfterMs: settlingPollMs } : one
  })
}
