/** A policy document as text: what is not ours must be the same bytes after a change as before. */
/** A statement as it stands in the document, byte for byte. */
export type Statement = { readonly text: string; readonly sid: string }
export type Parts = { readonly before: string; readonly statements: readonly Statement[]; readonly after: string }

export const emptyPolicy: Parts = { before: '{"Version":"2012-10-17","Statement":', statements: [], after: '}' }

/** The text around the statements and each statement's own text. null: not a policy as we know them; it is left alone. */
export const splitPolicy = (document: string): Parts | null => {
  if (document.trim() === '') return emptyPolicy
  try {
    JSON.parse(document)
  } catch {
    return null
  }
  const members = elements(document, document.indexOf('{'))
  const found = members?.find(({ name }) => name === 'Statement')
  if (members === null || found === undefined) return null
  const isList = document[found.from] === '['
  const inner = isList ? elements(document, found.from) : [found]
  if (inner === null) return null
  return {
    before: document.slice(0, found.from),
    statements: inner.map(({ from, to }) => {
      const text = document.slice(from, to)
      return { text, sid: sidIn(text) }
    }),
    after: document.slice(found.to),
  }
}

const sidIn = (statementText: string): string => {
  const parsed: unknown = JSON.parse(statementText)
  const sid = typeof parsed === 'object' && parsed !== null && 'Sid' in parsed ? parsed.Sid : ''
  return typeof sid === 'string' ? sid : ''
}

type Element = { readonly name: string; readonly from: number; readonly to: number }

/** Where the values of the object or array that opens at `open` stand in the text, which is valid JSON. */
const elements = (json: string, open: number): readonly Element[] | null => {
  if (open < 0) return null
  const found: Element[] = []
  let depth = 0
  let from = -1
  let name = ''
  const close = (to: number) => {
    const trimmed = json.slice(from, to).trimEnd().length
    if (from >= 0 && trimmed > 0) found.push({ name, from, to: from + trimmed })
    from = -1
    name = ''
  }
  for (let at = open; at < json.length; at += 1) {
    const sign = json[at] ?? ''
    if (sign === '"') {
      const end = endOfString(json, at)
      if (depth === 1 && from < 0) from = at
      at = end
      continue
    }
    if (sign === '{' || sign === '[') {
      if (depth === 1 && from < 0) from = at
      depth += 1
    } else if (sign === '}' || sign === ']') {
      depth -= 1
      if (depth === 0) {
        close(at)
        return found
      }
    } else if (depth === 1 && sign === ',') close(at)
    else if (depth === 1 && sign === ':') {
      name = String(JSON.parse(json.slice(from, at).trim()))
      from = -1
    } else if (depth === 1 && from < 0 && sign.trim() !== '') from = at
  }
  return null
}

const endOfString = (json: string, at: number): number => {
  let end = at + 1
  while (json[end] !== '"') end += json[end] === '\\' ? 2 : 1
  return end
}
