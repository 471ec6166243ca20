import type { Result } from '../aws-wire/errors.ts'
import type { Iam } from './iam.ts'

export type Steady<T> =
  | { readonly kind: 'steady'; readonly value: T }
  | { readonly kind: 'unsteady'; readonly value: T }
  | { readonly kind: 'failed'; readonly result: Extract<Result<T>, { ok: false }> }

/** Reads more than the confirmations: answers of servers that do not agree yet. */
const spareReads = 2

/** Reads until as many answers in a row as configured say the same: one server of IAM may be behind another. */
export const readSteadily = async <T>(
  { settings }: Pick<Iam, 'settings'>,
  read: () => Promise<Result<T>>,
  /** What makes two answers the same; null: not what is waited for. */
  formOf: (value: T) => string | null,
): Promise<Steady<T>> => {
  const { confirmations } = settings.settle
  let last: string | null = null
  let inARow = 0
  for (let reads = 1; ; reads += 1) {
    const result = await read()
    if (!result.ok) return { kind: 'failed', result }
    const form = formOf(result.value)
    inARow = form === null ? 0 : form === last ? inARow + 1 : 1
    last = form
    if (inARow >= confirmations) return { kind: 'steady', value: result.value }
    if (reads >= confirmations + spareReads) return { kind: 'unsteady', value: result.value }
  }
}
