import type { NativeId } from '../../domain/ids.ts'
import { type Trust, type TrustRules, trustSize, writeTrust } from './trust.ts'

/** A change of who is let into one role. */
export type Change = { readonly index: number; readonly op: 'grant' | 'revoke'; readonly account: NativeId }

export type TrustPlan = {
  /** null: it is so already. */
  readonly document: string | null
  readonly people: ReadonlySet<string>
  /** Does not fit: the size that the policy would have. */
  readonly tooLarge: ReadonlyMap<number, number>
  /** Is so already, in a statement as we write it. */
  readonly wasSo: ReadonlySet<number>
}

/** Who leaves, leaves; who comes, comes in order for as long as there is room. */
export const planTrust = (
  rules: TrustRules & { readonly trustPolicyLimit: number },
  trust: Trust,
  changes: readonly Change[],
): TrustPlan => {
  const people = new Set(trust.people)
  const wasSo = new Set<number>()
  const tooLarge = new Map<number, number>()
  for (const { index, op, account } of changes) {
    if (op === 'revoke' && !people.delete(account) && !trust.people.has(account) && trust.isAsWritten) wasSo.add(index)
  }
  for (const { index, op, account } of changes) {
    if (op !== 'grant') continue
    if (people.has(account)) {
      if (trust.people.has(account) && trust.isAsWritten) wasSo.add(index)
      continue
    }
    people.add(account)
    const size = trustSize(writeTrust(rules, trust, people))
    if (size <= rules.trustPolicyLimit) continue
    people.delete(account)
    tooLarge.set(index, size)
  }
  const isSame = people.size === trust.people.size && [...people].every((name) => trust.people.has(name))
  return { document: isSame && trust.isAsWritten ? null : writeTrust(rules, trust, people), people, tooLarge, wasSo }
}
