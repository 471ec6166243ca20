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
export const isFailure = (answer: Answer): boolean => answer.status >= 400

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
