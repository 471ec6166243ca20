import { type ActionKind, type Lane, seeksOnly } from '../domain/action.ts'
import {
  accountOutOfSight,
  type Cause,
  isElsewhere,
  type Outcome,
  type RefusalReason,
  sentUnproved,
} from '../domain/outcome.ts'
import type { TargetRules } from '../domain/target.ts'

export type Attempt = {
  readonly lane: Lane
  readonly kind: ActionKind
  /** Attempts so far, this one counted; those whose `Next.counts` was false are not in it. At least 1. */
  readonly attempts: number
  /** So often it has rested before: other trouble that it met makes no rest longer. */
  readonly rests: number
  readonly accounts: TargetRules['accounts']
  /** Until the action's deadline, ms; negative = over. null = it has none (target mode `plan`). */
  readonly deadlineInMs: number | null
  /** 0 ≤ random < 1: spreads what failed together. */
  readonly random: number
  /** The outcome is that of a read-back (`observe`), not of the change itself. */
  readonly readBack?: boolean
}

/** Why a human should look. `still-failing` and `still-unknown` accompany an action that goes on. */
export type RetryFinding =
  | Exclude<RefusalReason, 'credential'>
  | 'retries-exhausted'
  | 'still-failing'
  | 'still-unknown'
  | 'not-brought'

/** What happens next to an action, after the outcome of its call or of its read-back. */
export type Next =
  | { readonly kind: 'done' }
  /** Surely not applied: back to `ready` for a new attempt. */
  | ({ readonly kind: 'again' } & Later)
  /** May have been applied: `observe` decides. */
  | ({ readonly kind: 'readBack' } & Later)
  /** Accepted by the target and still running there: `observe` asks for it. */
  | ({ readonly kind: 'poll' } & Later)
  /** `afterMs`: so long, ms, until it is tried again all the same; absent = only a new plan begins anew. */
  | { readonly kind: 'park'; readonly finding: RetryFinding; readonly afterMs?: number }

type Later = {
  /** Not before, ms from now. */
  readonly afterMs: number
  /** Whether this attempt burns one of the lane's. */
  readonly counts: boolean
  /** It goes on, and a human should know. */
  readonly finding: RetryFinding | null
}

type Patience = {
  readonly firstMs: number
  /** Longest pause of ours; a target that asks for a longer one gets it. */
  readonly capMs: number
  /** From this attempt on there is a finding. */
  readonly findingFrom: number
  /** After this attempt the action is given up; null = never. */
  readonly giveUpAfter: number | null
  /** Attempts that an outage of the target may burn: up to the longest pause, so that most are left for the action's own trouble. */
  readonly ofOutage: number
}

/**
 * Bulk work that the target itself fails again and again parks after more than an hour; an outage of the target parks nothing,
 * however long (ADR 0028). What a leaver must lose is never given up: it pages and goes on, every half minute at the latest where the
 * target fails it; what the target refuses rests (ADR 0029).
 */
export const patience: Record<Lane, Patience> = {
  bulk: { firstMs: 500, capMs: 300_000, findingFrom: 10, giveUpAfter: 40, ofOutage: 11 },
  leaver: { firstMs: 100, capMs: 30_000, findingFrom: 5, giveUpAfter: null, ofOutage: Number.POSITIVE_INFINITY },
}

/** How often to look for an account that something else creates. */
const expectedAccountMs = 30_000

/** How often to look whether a human has mended what is looked for in vain: which account is a leaver's, what another hand should bring. */
const seekAgainMs = 900_000

/** How soon it is tried whether there is a new credential, up to twice this. Each try may count against a lockout there. */
const credentialMs: Record<Lane, number> = { bulk: 30_000, leaver: 5_000 }

/** How what a leaver must lose rests once it is refused: from so many attempts on, first for so long, doubled each time up to the cap. */
type Rest = { readonly fromAttempt: number; readonly firstMs: number }
const restCapMs = 21_600_000

/** Soon repeating does not change it: there is nothing to take away, or it must stay. But an account may be restored, a group come back. */
const lasting: Rest = { fromAttempt: 1, firstMs: 900_000 }

/**
 * It may pass within seconds (a right that is on its way, a change beside ours). What does not, somebody must mend, or another hand
 * do: asked again soon at first, for not all attempts may have heard this refusal.
 */
const mended: Rest = { fromAttempt: 8, firstMs: 60_000 }

/** As long as somebody may be inside (sessions last for 12 hours at most) what shuts them out rests for minutes only. */
const inside = { capMs: 300_000, rests: 144 }

/** All refusals of leavers, by how they rest: parked, and tried again from time to time. */
const restOn: Record<Exclude<RefusalReason, 'credential'>, Rest> = {
  'entitlement-missing': lasting,
  'account-missing': lasting,
  protected: lasting,
  'entitlement-changed-identity': mended,
  'account-ambiguous': mended,
  'name-taken': mended,
  'not-allowed': mended,
  invalid: mended,
  limit: mended,
  configuration: mended,
}

const restFor = (reason: Exclude<RefusalReason, 'credential'>, { word }: Cause): Rest =>
  word === accountOutOfSight || word === sentUnproved ? lasting : restOn[reason]

/** A leaver's refusal that took nothing away and takes nothing later but by what comes back: no mass change is made of it. */
export const tookNothing = (outcome: Outcome): boolean =>
  outcome.kind === 'refused' &&
  outcome.reason !== 'credential' &&
  outcome.cause.word !== sentUnproved &&
  restFor(outcome.reason, outcome.cause) === lasting

/** The retry policy: one table, by what we know after the call. */
export const whatNext = (outcome: Outcome, attempt: Attempt): Next => {
  switch (outcome.kind) {
    case 'done':
      return { kind: 'done' }
    case 'pending':
      return { kind: 'poll', afterMs: outcome.pollAfterMs, counts: false, finding: null }
    case 'throttled': {
      // A read-back that was throttled has told nothing: the state is as unknown as before.
      const kind = attempt.readBack === true ? 'readBack' : 'again'
      return { kind, afterMs: spread(outcome.retryAfterMs, attempt.random), counts: false, finding: null }
    }
    case 'retry':
      return again(attempt, outcome.retryAfterMs ?? 0, outcome.cause)
    case 'unknown':
      // Nobody may decide over a state that is not known: read back for ever, with a finding.
      return { kind: 'readBack', ...later(attempt, outcome.cause, 'still-unknown') }
    case 'refused':
      return refused(outcome.reason, outcome.cause, attempt)
  }
}

const again = (attempt: Attempt, askedMs: number, cause: Cause): Next => {
  if (cause.awaited !== undefined) return awaiting(attempt, askedMs)
  const { giveUpAfter } = patience[attempt.lane]
  if (giveUpAfter !== null && attempt.attempts >= giveUpAfter && !isElsewhere(cause))
    return { kind: 'park', finding: 'retries-exhausted' }
  const next = later(attempt, cause, 'still-failing')
  return { kind: 'again', ...next, afterMs: Math.max(askedMs, next.afterMs) }
}

/** Nothing of ours can fail here: no attempt is burnt and nobody parks. A human is told once it is overdue, and bulk work looks seldom then. */
const awaiting = ({ lane, deadlineInMs, random }: Attempt, askedMs: number): Next => {
  const isOverdue = deadlineInMs !== null && deadlineInMs <= 0
  const afterMs = isOverdue && lane === 'bulk' ? spread(seekAgainMs / 2, random) : askedMs
  return { kind: 'again', afterMs, counts: false, finding: isOverdue ? 'not-brought' : null }
}

/**
 * The target's own trouble is one finding of the target (engine/tell-away); only whoever must lose something is told one by one.
 * Where Muster may not look, only a human can let it: told at once, and asked again as seldom as what rests there.
 */
const later = (attempt: Attempt, cause: Cause, finding: RetryFinding): Later => {
  if (cause.word === accountOutOfSight) return { afterMs: restOf(attempt), counts: true, finding }
  return {
    afterMs: pauseMs(attempt),
    counts: !isElsewhere(cause) || attempt.attempts <= patience[attempt.lane].ofOutage,
    finding: isElsewhere(cause) && attempt.lane === 'bulk' ? null : late(attempt, finding),
  }
}

const refused = (reason: RefusalReason, cause: Cause, attempt: Attempt): Next => {
  // Of the whole target, whose finding it is: the work waits for a new credential and is nobody's failure.
  if (reason === 'credential') {
    const afterMs = spread(credentialMs[attempt.lane], attempt.random)
    return { kind: 'again', afterMs, counts: false, finding: null }
  }
  if (seeksOnly(attempt)) {
    // Whoever only looked has seen that nothing is there to take away.
    if (reason === 'account-missing') return { kind: 'done' }
    // Which of several accounts is the leaver's, a human must mend there; then it is found.
    if (reason === 'account-ambiguous')
      return { kind: 'again', afterMs: spread(seekAgainMs / 2, attempt.random), counts: true, finding: reason }
  }
  if (reason === 'account-missing' && attempt.kind === 'ensureAccount' && attempt.accounts === 'expect') {
    const leftMs = attempt.deadlineInMs ?? Number.POSITIVE_INFINITY
    if (leftMs <= 0) return { kind: 'park', finding: reason }
    const afterMs = Math.min(spread(expectedAccountMs / 2, attempt.random), leftMs)
    return { kind: 'again', afterMs, counts: false, finding: null }
  }
  if (attempt.lane === 'bulk') return { kind: 'park', finding: reason }
  // Where it may be, if it is anywhere, and whether it is gone, only a human can let Muster look.
  const rest = restFor(reason, cause)
  if (attempt.attempts >= rest.fromAttempt)
    return { kind: 'park', finding: reason, afterMs: restOf(attempt, rest.firstMs, capOf(rest, attempt)) }
  return { kind: 'again', afterMs: pauseMs(attempt), counts: true, finding: reason }
}

const late = ({ lane, attempts }: Attempt, finding: RetryFinding): RetryFinding | null =>
  attempts >= patience[lane].findingFrom ? finding : null

/** Doubles with each rest up to the cap; half of it is jitter. ms. */
export const restOf = (
  { rests, random }: Pick<Attempt, 'rests' | 'random'>,
  firstMs = lasting.firstMs,
  capMs = restCapMs,
): number => spread(Math.min(capMs, firstMs * 2 ** Math.min(rests, 30)) / 2, random)

const capOf = (rest: Rest, { kind, rests }: Attempt): number =>
  rest === mended && (kind === 'disable' || kind === 'endSessions') && rests < inside.rests ? inside.capMs : restCapMs

/** Doubles with each attempt up to the cap; half of it is jitter. */
const pauseMs = ({ lane, attempts, random }: Attempt): number => {
  const { firstMs, capMs } = patience[lane]
  return spread(Math.min(capMs, firstMs * 2 ** Math.min(attempts - 1, 30)) / 2, random)
}

/** From `ms` up to twice that. */
const spread = (ms: number, random: number): number => Math.round(ms + ms * random)
