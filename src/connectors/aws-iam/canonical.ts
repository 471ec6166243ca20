/**
 * One form for what IAM takes as the same: members in any order, one value or a list of it, a list in any order. IAM may
 * write a document anew, so only this form is compared.
 */
export const canonical = (value: unknown): string => JSON.stringify(ordered(value))

const ordered = (value: unknown): unknown => {
  if (Array.isArray(value)) {
    const texts = [...new Set(value.map((one) => JSON.stringify(ordered(one))))].sort()
    return texts.length === 1 ? JSON.parse(texts[0] ?? 'null') : texts.map((text) => JSON.parse(text))
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, inner]) => [name, ordered(inner)]),
  )
}

/** IAM hands documents out percent-encoded (RFC 3986); a JSON text as it is has quotes. */
export const decoded = (document: string): string => (/["{]/.test(document) ? document : decodeURIComponent(document))

/** Characters that count against IAM's quotas: «IAM doesn't count white space» (user guide, IAM and AWS STS quotas). */
export const sizeOf = (document: string): number => document.replace(/[\t\n\r ]/g, '').length
