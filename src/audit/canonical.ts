import canonicalize from 'canonicalize'

/**
 * JSON in canonical form (RFC 8785), undefined for what has none. That form is ECMAScript's own way to write JSON with the
 * members of each object in the order of their UTF-16 code units: whatever can be put in that order is written by the
 * platform in one go, and everything else by the library.
 */
export const canonicalText = (value: unknown): string | undefined => {
  const ordered = inOrder(value)
  if (ordered === irregular) return canonicalize(value)
  const text = JSON.stringify(ordered) as string | undefined
  // How the platform writes half of a surrogate pair, which the RFC refuses. (Or a backslash and such letters: no matter.)
  return text !== undefined && /\\ud[89a-f]/.test(text) ? canonicalize(value) : text
}

const irregular = Symbol('irregular')

const inOrder = (value: unknown): unknown => {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null || value === undefined) return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : irregular
  if (typeof value !== 'object') return irregular
  return Array.isArray(value) ? itemsInOrder(value) : membersInOrder(value as Readonly<Record<string, unknown>>)
}

const itemsInOrder = (items: readonly unknown[]): unknown => {
  if ('toJSON' in items) return irregular
  const out: unknown[] = []
  for (const item of items) {
    const ordered = inOrder(item)
    if (ordered === irregular) return irregular
    out.push(ordered)
  }
  return out
}

const membersInOrder = (members: Readonly<Record<string, unknown>>): unknown => {
  if (Object.getPrototypeOf(members) !== Object.prototype || 'toJSON' in members) return irregular
  const out: Record<string, unknown> = {}
  for (const name of Object.keys(members).sort()) {
    // Objects keep names that are indexes before all others, and __proto__ is no member when it is assigned.
    if (isDigit(name.charCodeAt(0)) || name === '__proto__') return irregular
    const ordered = inOrder(members[name])
    if (ordered === irregular) return irregular
    out[name] = ordered
  }
  return out
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
