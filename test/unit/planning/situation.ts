import type { OpenAction } from '../../../src/domain/action.ts'
import type { Assignment, GrantVerdict } from '../../../src/domain/decision.ts'
import type { EmploymentState, IdentityAt } from '../../../src/domain/identity.ts'
import type {
  AccountId,
  ActionId,
  EmploymentKey,
  EntitlementId,
  IdentityId,
  TargetId,
} from '../../../src/domain/ids.ts'
import type { Instant } from '../../../src/domain/instant.ts'
import { nothingProtected } from '../../../src/domain/protection.ts'
import type { TargetRules } from '../../../src/domain/target.ts'
import type { LinkedAccount, PlanInput, PresentGrant } from '../../../src/planning/plan-input.ts'
import { lostAdoptions } from '../../../src/policies/lost-adoptions.ts'

/** Planning's input from few words: who, what is wanted, what is there, what is open. */

export const corp = 'corp' as TargetId
export const cloud = 'cloud' as TargetId
export const e = (id: number): EntitlementId => id as EntitlementId
export const now = 1_000 as Instant

export const target = (id: TargetId, rules: Partial<TargetRules> = {}): TargetRules => ({
  id,
  mode: 'enforce',
  accounts: 'create',
  leaverUnmanaged: 'remove',
  disable: 'native',
  endSessions: 'none',
  protect: nothingProtected,
  deleteAfterMs: null,
  ...rules,
})

const lifecycles = {
  active: 'active',
  leave: 'leave',
  suspended: 'suspended',
  prehire: 'prehire',
  ended: 'terminated',
  rescinded: 'terminated',
} as const

export const person = (state: EmploymentState): IdentityAt => ({
  employments: [
    {
      employmentKey: 'E-1' as EmploymentKey,
      state,
      givesAccess: state === 'active' || state === 'leave' || state === 'suspended',
      worker: null,
    },
  ],
  lifecycle: lifecycles[state],
  leaver: state === 'ended' || state === 'rescinded',
  primary: null,
  accountsEnabled: state === 'active',
})

/** Entitlements from 100 on lie on `cloud`, the others on `corp`. */
export const targetOf = (id: number): TargetId => (id >= 100 ? cloud : corp)

export const assigned = (id: number, interval: Partial<Assignment['interval']> = {}): Assignment => ({
  entitlement: e(id),
  target: targetOf(id),
  interval: { from: 0 as Instant, to: null, ...interval },
  reasons: [{ kind: 'rule', rule: `rule-${id}`, employmentKey: 'E-1', path: [] }],
})

export const present = (id: number, flags: Partial<PresentGrant> = {}): PresentGrant => ({
  entitlement: e(id),
  target: targetOf(id),
  managed: true,
  protected: false,
  indirect: false,
  ...flags,
})

export const account = (id: number, on: TargetId, state: Partial<LinkedAccount> = {}): LinkedAccount => ({
  id: id as AccountId,
  target: on,
  enabled: true,
  attributesHash: 'h1',
  ...state,
})

export const open = (
  id: number,
  kind: OpenAction['kind'],
  entitlement: number | null,
  state: Partial<OpenAction> = {},
): OpenAction => ({
  id: id as ActionId,
  identity: 1 as IdentityId,
  target: entitlement === null ? corp : targetOf(entitlement),
  kind,
  entitlement: entitlement === null ? null : e(entitlement),
  lane: 'bulk',
  state: 'ready',
  claimed: false,
  dispatch: null,
  unknown: false,
  attributesHash: null,
  current: true,
  needsAccount: false,
  afterRevokeOf: [],
  validFrom: kind === 'grant' ? (0 as Instant) : null,
  validTo: null,
  ...state,
})

export const claimed = { state: 'dispatched', claimed: true } as const
export const held = (...conflictsWith: number[]): GrantVerdict => ({
  kind: 'held',
  policies: ['maker-checker'],
  conflictsWith: conflictsWith.map(e),
})
export const waitsFor = (...ids: number[]): GrantVerdict => ({
  kind: 'wait',
  policies: ['maker-checker'],
  after: ids.map(e),
})

export type Situation = {
  readonly is?: EmploymentState
  readonly wanted?: readonly (number | Assignment)[]
  /** Other than go. */
  readonly verdicts?: Readonly<Record<number, GrantVerdict>>
  readonly accounts?: readonly LinkedAccount[]
  readonly grants?: readonly PresentGrant[]
  readonly open?: readonly OpenAction[]
  readonly targets?: readonly TargetRules[]
  readonly attributes?: Readonly<Record<string, string>>
  readonly inverseSent?: readonly number[]
  /** Entitlement, and when it was seen to be taken away. */
  readonly missing?: readonly (readonly [number, number])[]
  readonly absent?: readonly TargetId[]
  /** Of a leaver; the beginning of time unless said otherwise. */
  readonly endedAt?: number
}

export const situation = ({ is = 'active', verdicts = {}, ...given }: Situation): PlanInput => {
  const wanted = (given.wanted ?? []).map((want) => (typeof want === 'number' ? assigned(want) : want))
  const grants = given.grants ?? []
  const taken = new Map((given.missing ?? []).map(([id, at]) => [e(id), at as Instant]))
  const missing = wanted.filter(({ entitlement }) => !grants.some((grant) => grant.entitlement === entitlement))
  return {
    now,
    at: person(is),
    endedAt: is === 'ended' || is === 'rescinded' ? ((given.endedAt ?? 0) as Instant) : null,
    decision: {
      timeline: wanted,
      wanted,
      verdicts: new Map(missing.map(({ entitlement }) => [entitlement, verdicts[entitlement] ?? { kind: 'go' }])),
      violations: [],
      nextChangeAt: null,
    },
    targets: given.targets ?? [target(corp), target(cloud)],
    accounts: given.accounts ?? [account(1, corp), account(2, cloud)],
    wantedAttributes: new Map(Object.entries(given.attributes ?? { corp: 'h1', cloud: 'h1' }) as [TargetId, string][]),
    grants,
    open: given.open ?? [],
    absent: new Set(given.absent ?? []),
    missing: taken,
    lost: lostAdoptions(wanted, new Set(grants.map(({ entitlement }) => entitlement)), { idOf: new Map() }),
    inverseSent: new Set((given.inverseSent ?? []) as ActionId[]),
  }
}
