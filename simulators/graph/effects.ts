/** What trouble on order does to an answer. */
import type { Answer } from './answer.ts'
import { tooMany, unauthenticated } from './errors.ts'
import type { Effect } from './faults.ts'

/** Nothing is sent back at all. */
export const isOfConnection = ({ kind }: Effect): boolean => kind === 'drop' || kind === 'silence'

const retryAfterOf = ({ retryAfter }: { readonly retryAfter?: string }): Record<string, string> =>
  retryAfter === undefined ? {} : { 'retry-after': retryAfter }

/** What is answered instead; null: this effect leaves the answer alone. */
export const answerOf = (effect: Effect): Answer | null => {
  switch (effect.kind) {
    case 'status': {
      const headers = retryAfterOf(effect)
      return effect.body === 'json'
        ? {
            status: effect.status,
            headers,
            error: { code: effect.code ?? 'ServiceNotAvailable', message: 'The service is temporarily unavailable.' },
          }
        : {
            status: effect.status,
            headers,
            html: `<!DOCTYPE html><html><head><title>${effect.status}</title></head><body><h1>Our services aren't available right now</h1></body></html>`,
          }
    }
    case 'throttle':
      return tooMany(retryAfterOf(effect))
    case 'expire-token':
      return unauthenticated('Lifetime validation failed, the token is expired.')
    case 'drop':
    case 'silence':
    case 'cut-body':
    case 'repeat-next-link':
    case 'empty-page':
    case 'delay':
      return null
  }
}

/** The answer as this effect leaves it; `asked`: the address of the request. */
export const reshaped = (effect: Effect, answer: Answer, asked: string): Answer => {
  if (effect.kind === 'repeat-next-link' && answer.body !== undefined)
    return { ...answer, body: { ...answer.body, '@odata.nextLink': asked } }
  if (effect.kind === 'empty-page' && answer.body?.['@odata.nextLink'] !== undefined)
    return { ...answer, body: { ...answer.body, '@odata.nextLink': asked, value: [] } }
  return answer
}
