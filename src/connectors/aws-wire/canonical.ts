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
