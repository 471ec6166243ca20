/** Trouble on order, for tests. In process only: nobody can ask for it over the network. */
export type Effect =
  /** The connection is reset without an answer. */
  | { readonly kind: 'drop' }
  /** No answer, the connection stays. */
  | { readonly kind: 'silence' }
  /** Headers and half of the body, then the connection is reset. */
  | { readonly kind: 'cut-body' }
  /** 5xx as something in between gives them: an HTML page; no Retry-After unless said. `code`: of a JSON body. */
  | {
      readonly kind: 'status'
      readonly status: number
      readonly body?: 'html' | 'json'
      readonly code?: string
      readonly retryAfter?: string
    }
  /** 429, with or without Retry-After. */
  | { readonly kind: 'throttle'; readonly retryAfter?: string }
  /** The token counts as expired: 401, and every token given out so far is void. */
  | { readonly kind: 'expire-token' }
  /** A page whose nextLink leads to itself. */
  | { readonly kind: 'repeat-next-link' }
  /** A page without items that still has a nextLink (documented for delta, possible elsewhere). */
  | { readonly kind: 'empty-page' }
  | { readonly kind: 'delay'; readonly ms: number }

export type Fault = {
  /** Name of the operation as in routes.ts, '*' for any of Graph, 'token' for the token endpoint, 'batch' for $batch itself. */
  readonly operation: string
  /** Only requests whose path or body contains this, e.g. an object id. */
  readonly key?: string
  /** The first request that it hits, counted from 1 among those that fit. Default 1. */
  readonly nth?: number
  /** How many requests it hits from there on. Default 1. */
  readonly times?: number
  /** before: nothing was changed. after: it was changed, and the answer is lost or another. */
  readonly phase: 'before' | 'after'
  readonly effect: Effect
}

export type Faults = {
  readonly plan: (...faults: readonly Fault[]) => void
  /** A share of all requests meets trouble, decided by the seed, the operation, the path and the attempt: replayable. */
  readonly chaos: (options: Chaos | null) => void
  readonly clear: () => void
  /** Planned faults that have not hit anything yet. */
  readonly waiting: () => readonly Fault[]
  /** Counts this request; the faults that hit it, at most one for each phase. */
  readonly strike: (request: Struck) => { readonly before: Effect | null; readonly after: Effect | null }
}
export type Chaos = {
  readonly seed: number
  /** 0…1 */
  readonly share: number
  readonly operations?: readonly string[]
  readonly effects: readonly { readonly phase: 'before' | 'after'; readonly effect: Effect }[]
}
export type Struck = { readonly operation: string; readonly path: string; readonly body: string }

export const openFaults = (): Faults => {
  let planned: { readonly fault: Fault; seen: number; hits: number }[] = []
  let chaos: Chaos | null = null
  const attempts = new Map<string, number>()
  return {
    plan: (...faults) => {
      planned.push(...faults.map((fault) => ({ fault, seen: 0, hits: 0 })))
    },
    chaos: (options) => {
      chaos = options
      attempts.clear()
    },
    clear: () => {
      planned = []
      chaos = null
    },
    waiting: () => planned.filter(({ hits }) => hits === 0).map(({ fault }) => fault),
    strike: ({ operation, path, body }) => {
      const struck: { before: Effect | null; after: Effect | null } = { before: null, after: null }
      for (const one of planned) {
        const { fault } = one
        const isGraph = operation !== 'token' && operation !== 'batch'
        if (fault.operation !== operation && !(fault.operation === '*' && isGraph)) continue
        if (fault.key !== undefined && !path.includes(fault.key) && !body.includes(fault.key)) continue
        one.seen++
        const first = fault.nth ?? 1
        if (one.seen < first || one.seen >= first + (fault.times ?? 1)) continue
        one.hits++
        struck[fault.phase] ??= fault.effect
      }
      if (chaos !== null && struck.before === null && struck.after === null) {
        const hit = strikeByChance(chaos, operation, path, attempts)
        if (hit !== undefined) struck[hit.phase] = hit.effect
      }
      return struck
    },
  }
}

const strikeByChance = (chaos: Chaos, operation: string, path: string, attempts: Map<string, number>) => {
  if (chaos.operations !== undefined && !chaos.operations.includes(operation)) return undefined
  const key = `${operation} ${path}`
  const attempt = (attempts.get(key) ?? 0) + 1
  attempts.set(key, attempt)
  const chance = hashOf(`${chaos.seed} ${key} ${attempt}`)
  if ((chance % 10_000) / 10_000 >= chaos.share) return undefined
  return chaos.effects[hashOf(`${chance} effect`) % Math.max(1, chaos.effects.length)]
}

/** FNV-1a, 32 bits, then mixed. */
const hashOf = (text: string): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}
