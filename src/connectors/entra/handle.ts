/**
 * What a `pending` outcome carries to its poll: when the change was written, or first missed (ms), and what must be known to recognise it.
 * No personal data.
 */
export type Handle = {
  /**
   * seen: nothing had to be written, Graph said that it was so. created: an account was made. missed: nothing was written,
   * because what is named was not there.
   */
  readonly kind: 'written' | 'seen' | 'created' | 'missed'
  readonly at: number
  /** Of `created` the new object's id; of endSessions the moment, ms, from which sessions must be valid; else ''. */
  readonly detail: string
}

export const handleText = ({ kind, at, detail }: Handle): string =>
  detail === '' ? `${kind}:${at}` : `${kind}:${at}:${detail}`

const form = /^(written|seen|created|missed):(\d{1,15})(?::([0-9A-Za-z-]*))?$/

/** null: not one of ours. */
export const readHandle = (text: string): Handle | null => {
  const match = form.exec(text)
  if (match === null) return null
  const [, kind, at, detail] = match
  return { kind: kind as Handle['kind'], at: Number(at), detail: detail ?? '' }
}
