/** `there`: in the list and not believed; `gone`: believed and not in the list. */
export type Difference = { readonly kind: 'there' | 'gone'; readonly account: string }

/** What a complete list says that was not believed, and what it does not say that was. Ascending by account. */
export const differences = (believed: ReadonlySet<string>, seen: ReadonlySet<string>): readonly Difference[] =>
  [
    ...[...seen].flatMap((account): Difference[] => (believed.has(account) ? [] : [{ kind: 'there', account }])),
    ...[...believed].flatMap((account): Difference[] => (seen.has(account) ? [] : [{ kind: 'gone', account }])),
  ].sort((a, b) => (a.account < b.account ? -1 : a.account > b.account ? 1 : 0))

/** Up to so many may be gone of anything: small groups are emptied by hand. */
const freely = 3
/**
 * Nothing at all, or so much less than what was verified, is no drift but a read that lacks something, until a human says
 * otherwise.
 */
const share = { entitlement: 0.5, target: 0.2 } as const

export const tooManyGone = (
  { believed, gone }: { readonly believed: number; readonly gone: number },
  of: keyof typeof share,
): boolean => gone > 0 && (gone === believed || (gone > freely && gone > believed * share[of]))
