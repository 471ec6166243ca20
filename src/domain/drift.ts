/** What Muster does about a grant of an entitlement that changed behind its back (DESIGN §6, L1). */
export const driftPolicies = ['report', 'revert', 'adopt'] as const
export type DriftPolicy = (typeof driftPolicies)[number]

/** `appeared`: somebody was let in behind our back. `missing`: somebody whom Muster had verified was taken out. */
export type DriftKind = 'appeared' | 'missing'

/** So many changes of one grant behind our back within `foughtWithinMs`: somebody fights Muster. It reports from then on. */
export const foughtFrom = 3
export const foughtWithinMs = 7 * 86_400_000
