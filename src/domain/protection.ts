/** What Muster never touches on a target, as its configuration says (break-glass accounts, the target's own groups). */
export type Protection = {
  /** Native ids. */
  readonly accounts: readonly string[]
  /** Names of entitlements as the target has them; `*` stands for anything. Case is ignored. */
  readonly entitlements: readonly string[]
}

export const nothingProtected: Protection = { accounts: [], entitlements: [] }

export const isProtectedAccount = ({ accounts }: Protection, nativeId: string): boolean =>
  accounts.some((one) => one.toLowerCase() === nativeId.toLowerCase())

export const isProtectedEntitlement = ({ entitlements }: Protection, name: string): boolean =>
  entitlements.some((pattern) => matches(spelled(pattern), spelled(name)))

/** Directories do not care for case, nor for blanks around the signs of a DN. */
const spelled = (text: string): string =>
  text
    .trim()
    .toLowerCase()
    .replace(/\s*([,=+])\s*/g, '$1')
    .replace(/\s+/g, ' ')

/** Without regular expressions: a pattern is configuration, and may hold whatever a name may hold. */
const matches = (pattern: string, name: string): boolean => {
  const [first = '', ...rest] = pattern.split('*')
  if (!name.startsWith(first)) return false
  if (rest.length === 0) return name.length === first.length
  const last = rest.pop() ?? ''
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return name.length - last.length >= at && name.endsWith(last)
}
