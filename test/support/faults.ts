/**
 * What goes wrong on purpose: a stage that stops between its read and its commit, one that dies there, a target whose
 * answer is lost, a write that lands long after everybody gave it up.
 */
import type { ApplyContext, Connector, Operation } from '../../src/connectors/connector.ts'
import type { Outcome } from '../../src/domain/outcome.ts'

export type Gate = {
  /** Resolves when the stage stands at the label. */
  readonly reached: Promise<void>
  readonly open: () => void
}

export type Gates = {
  /** Given to the engine as `settings.pause`. */
  readonly pause: (label: string) => Promise<void>
  /** The next stage that passes this label stops there until it is opened. */
  readonly stopAt: (label: string) => Gate
  /** The next stage that passes this label dies there, as a process does that loses everything it has not committed. */
  readonly dieAt: (label: string) => void
  /** Nobody stops or dies any more who has not yet. */
  readonly clear: () => void
  /** Labels that somebody passed, in order. */
  readonly passed: string[]
}

/** An error that says "the world is gone", not "the data are bad": nobody may blame an identity for it. */
export const crash = (at: string): Error => Object.assign(new Error(`crashed at ${at}`), { code: 'ECONNRESET' })

export const createGates = (): Gates => {
  const waiting = new Map<string, (() => Promise<void>)[]>()
  const passed: string[] = []
  const next = (label: string, act: () => Promise<void>) => waiting.set(label, [...(waiting.get(label) ?? []), act])
  return {
    passed,
    clear: () => waiting.clear(),
    pause: async (label) => {
      passed.push(label)
      await waiting.get(label)?.shift()?.()
    },
    stopAt: (label) => {
      const reached = Promise.withResolvers<void>()
      const opened = Promise.withResolvers<void>()
      next(label, () => {
        reached.resolve()
        return opened.promise
      })
      return { reached: reached.promise, open: () => opened.resolve() }
    },
    dieAt: (label) => {
      next(label, () => Promise.reject(crash(label)))
    },
  }
}

type Apply = (operations: readonly Operation[], context: ApplyContext) => Promise<readonly Outcome[]>

/** What happens to one call of `apply`, given the real one. */
export type Fault = (
  operations: readonly Operation[],
  context: ApplyContext,
  real: Apply,
) => Promise<readonly Outcome[]>

const lost: Outcome = { kind: 'unknown', cause: { code: 'ECONNRESET', word: 'connection-lost' } }

/** The change is made, its answer never arrives. */
export const answerLost: Fault = async (operations, context, real) => {
  await real(operations, context)
  return operations.map(() => lost)
}

/** The request never arrives, and nobody knows. */
export const requestLost: Fault = async (operations) => operations.map(() => lost)

/** The call of a worker that does not know that its lease is over. */
export const withoutLease = (context: ApplyContext): ApplyContext => ({
  ...context,
  signal: new AbortController().signal,
  mayWrite: () => true,
})

/** The answer is lost and the change made only when `write` is called: a request that waits in some queue on the way. */
export const delayedWrite = (): { readonly fault: Fault; readonly write: () => Promise<void> } => {
  let write: (() => Promise<void>) | undefined
  return {
    fault: async (operations, context, real) => {
      write = async () => {
        await real(operations, withoutLease(context))
      }
      return operations.map(() => lost)
    },
    write: async () => {
      if (write === undefined) throw new Error('the faulty call was never made')
      await write()
    },
  }
}

/** The worker stands still inside the call until `open`; then it writes, whatever became of its lease, and answers. */
export const stalled = (): Gate & { readonly fault: Fault } => {
  const reached = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  return {
    reached: reached.promise,
    open: () => opened.resolve(),
    fault: async (operations, context, real) => {
      reached.resolve()
      await opened.promise
      return real(operations, withoutLease(context))
    },
  }
}

export type Faults = {
  readonly wrap: (real: Connector) => Connector
  /** The next call of `apply` whose operations are all of these kinds meets this fault. */
  readonly next: (fault: Fault, ...ops: Operation['op'][]) => void
  /** The next `observe` of these kinds tells nothing. */
  readonly nextReadFails: (outcome: Outcome, ...ops: Operation['op'][]) => void
  /** The next `observe` of these kinds reads; before it answers, this happens. */
  readonly betweenReadAndAnswer: (happens: () => Promise<void>, ...ops: Operation['op'][]) => void
  readonly clear: () => void
  /** Every call of `apply` and `observe` that was made, oldest first. */
  readonly calls: { readonly call: 'apply' | 'observe'; readonly operations: readonly Operation[] }[]
}

export const createFaults = (): Faults => {
  const planned: { readonly fault: Fault; readonly ops: readonly string[] }[] = []
  const reads: { readonly outcome: Outcome; readonly ops: readonly string[] }[] = []
  const meanwhile: { readonly happens: () => Promise<void>; readonly ops: readonly string[] }[] = []
  const calls: Faults['calls'] = []
  const take = <T extends { readonly ops: readonly string[] }>(
    from: T[],
    operations: readonly Operation[],
  ): T | undefined => {
    const index = from.findIndex(({ ops }) => ops.length === 0 || operations.every(({ op }) => ops.includes(op)))
    return index < 0 ? undefined : from.splice(index, 1)[0]
  }
  return {
    calls,
    clear: () => {
      for (const list of [planned, reads, meanwhile]) list.length = 0
    },
    next: (fault, ...ops) => {
      planned.push({ fault, ops })
    },
    nextReadFails: (outcome, ...ops) => {
      reads.push({ outcome, ops })
    },
    betweenReadAndAnswer: (happens, ...ops) => {
      meanwhile.push({ happens, ops })
    },
    wrap: (real) => ({
      ...real,
      apply: (operations, context) => {
        calls.push({ call: 'apply', operations })
        const found = take(planned, operations)
        return found === undefined ? real.apply(operations, context) : found.fault(operations, context, real.apply)
      },
      observe: async (operations, signal) => {
        calls.push({ call: 'observe', operations })
        const found = take(reads, operations)
        if (found !== undefined) return operations.map(() => found.outcome)
        const happening = take(meanwhile, operations)
        const outcomes = await real.observe(operations, signal)
        await happening?.happens()
        return outcomes
      },
    }),
  }
}
