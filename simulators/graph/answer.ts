/** What an operation answers, before it becomes HTTP. */
export type Answer = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Body
  /** Instead of a body: becomes the documented error object. */
  readonly error?: { readonly code: string; readonly message: string }
  /** text/plain, as $count answers. */
  readonly text?: string
  /** An answer of something in between, not of Graph. */
  readonly html?: string
}
export type Body = Readonly<Record<string, unknown>>

export const noContent: Answer = { status: 204 }

/** `{"error":{…}}` with the inner error that every directory answer carries; its date has no zone. */
export const errorBody = (
  { code, message }: { readonly code: string; readonly message: string },
  at: { readonly epochMs: number; readonly requestId: string; readonly clientRequestId: string },
): Body => ({
  error: {
    code,
    message,
    innerError: {
      date: new Date(at.epochMs).toISOString().slice(0, 19),
      'request-id': at.requestId,
      'client-request-id': at.clientRequestId,
    },
  },
})

/** The answer as text, with the headers that say what it is. */
export const written = (
  answer: Answer,
  headers: Record<string, string>,
  at: { readonly epochMs: number; readonly requestId: string; readonly clientRequestId: string },
): { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string } => {
  if (answer.html !== undefined)
    return { status: answer.status, headers: { ...headers, 'content-type': 'text/html' }, body: answer.html }
  if (answer.text !== undefined)
    return { status: answer.status, headers: { ...headers, 'content-type': 'text/plain' }, body: answer.text }
  const body = answer.error === undefined ? answer.body : errorBody(answer.error, at)
  if (body === undefined) return { status: answer.status, headers, body: '' }
  return {
    status: answer.status,
    headers: {
      ...headers,
      'content-type':
        'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8',
      'odata-version': '4.0',
    },
    body: JSON.stringify(body),
  }
}
