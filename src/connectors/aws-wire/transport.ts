import { setTimeout as pause } from 'node:timers/promises'
import type { Bucket } from '../budget.ts'
import type { ConnectorTools } from '../connector.ts'
import { type Failure, failed, failureOf, ok, type Result } from './errors.ts'
import type { SignIn } from './sign-in.ts'

/** Asked right before each write. */
export type Gate = {
  readonly signal: AbortSignal
  readonly mayWrite: () => boolean
  /** Of who writes in a place: whether it still is theirs. Asked before `mayWrite`. */
  readonly isOurs?: () => Promise<boolean>
}

/** One call of an SDK client. */
export type Send<T> = (options: { readonly abortSignal?: AbortSignal }) => Promise<T>

/**
 * Every call to AWS goes through here: it gives way, draws on the budget of its family, and answers what is known then. One
 * whose credentials AWS does not take (any more) is made once again, where there are others.
 * Knows nothing of what is called, so that another AWS connector can use it.
 */
export type Transport = {
  /** A broken connection is tried once more at once: a read changes nothing. */
  readonly read: <T>(family: Bucket, send: Send<T>, signal?: AbortSignal) => Promise<Result<T>>
  readonly write: <T>(family: Bucket, send: Send<T>, gate: Gate) => Promise<Result<T>>
}

/** So long a call waits for its turn, or for AWS to have time; then the whole lane is told to wait. */
const patienceMs = 2_000

const throttled = (retryAfterMs: number): Failure => ({
  code: '',
  word: 'throttled',
  verdict: { kind: 'throttled' },
  sent: 'not-sent',
  retryAfterMs,
})
const notBegun = (word: string): Failure => ({ code: '', word, verdict: { kind: 'retry' }, sent: 'not-sent' })
const lease = notBegun('lease')
const placeLost = notBegun('place-lost')

export const createTransport = (
  { budget, giveWay }: Pick<ConnectorTools, 'budget' | 'giveWay'>,
  signIn: Pick<SignIn, 'current' | 'others'>,
): Transport => {
  /** null: go. */
  const turn = async (family: Bucket, patience: { left: number }): Promise<Failure | null> => {
    for (;;) {
      await giveWay()
      const taken = await budget.take([{ bucket: family, units: 1 }])
      if (taken.ok) return null
      if (taken.waitMs > patience.left) return throttled(taken.waitMs)
      patience.left -= taken.waitMs
      await pause(taken.waitMs)
    }
  }
  const call = async <T>(
    family: Bucket,
    send: Send<T>,
    may: () => Failure | null | Promise<Failure | null>,
    signal?: AbortSignal,
  ): Promise<Result<T>> => {
    const patience = { left: patienceMs }
    let isSignedAnew = false
    for (;;) {
      const notYet = (await turn(family, patience)) ?? (await may())
      if (notYet !== null) return failed(notYet)
      const signer = await attempt(() => signIn.current())
      const result = signer.ok ? await attempt(send, signal) : signer
      if (signer.ok && !result.ok && isNotLetIn(result.failure) && !isSignedAnew) {
        // Refused before it was looked at: nothing is done twice.
        const others = await attempt(() => signIn.others(signer.value))
        if (!others.ok) return others
        if (!others.value) return result
        isSignedAnew = true
        continue
      }
      if (result.ok || result.failure.verdict.kind !== 'throttled') return result
      const waitMs = result.failure.retryAfterMs ?? 0
      await budget.close(family, waitMs)
      if (waitMs > patience.left) return result
    }
  }
  return {
    read: async (family, send, signal) => {
      const may = () => (signal?.aborted ? lease : null)
      const first = await call(family, send, may, signal)
      return !first.ok && first.failure.sent === 'sent' && broken.has(first.failure.code)
        ? call(family, send, may, signal)
        : first
    },
    write: (family, send, gate) =>
      call(family, send, async () => {
        if (gate.isOurs !== undefined && !(await gate.isOurs())) return placeLost
        return gate.signal.aborted || !gate.mayWrite() ? lease : null
      }),
  }
}

/** AWS itself does not take what the call was signed with. */
const isNotLetIn = ({ sent, verdict }: Failure): boolean =>
  sent === 'answered' && verdict.kind === 'refused' && verdict.reason === 'credential'

/** The server closed a connection that we thought was open. */
const broken = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

const attempt = async <T>(send: Send<T>, signal?: AbortSignal): Promise<Result<T>> => {
  try {
    return ok(await send(signal === undefined ? {} : { abortSignal: signal }))
  } catch (error) {
    return failed(failureOf(error))
  }
}
