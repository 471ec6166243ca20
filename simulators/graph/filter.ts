/** $filter as far as Muster may use it: and, or, not, eq, ne, ge, le, in, startswith, endswith, any with eq. */
export type Literal = string | boolean | number | null
export type Comparison = 'eq' | 'ne' | 'ge' | 'le' | 'gt' | 'lt'
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly kind: 'not'; readonly part: Filter }
  | { readonly kind: 'compare'; readonly property: string; readonly operator: Comparison; readonly value: Literal }
  | { readonly kind: 'in'; readonly property: string; readonly values: readonly Literal[] }
  | { readonly kind: 'startswith' | 'endswith'; readonly property: string; readonly value: string }
  | { readonly kind: 'any'; readonly property: string; readonly value: Literal }

export class FilterSyntax extends Error {
  override readonly name = 'FilterSyntax'
}

type Token = { readonly kind: 'word' | 'string' | 'mark'; readonly text: string; readonly at: number }

/** Throws FilterSyntax. */
export const parseFilter = (text: string): Filter => {
  const tokens = tokenize(text)
  let next = 0
  const peek = (): Token | undefined => tokens[next]
  const fail = (): never => {
    throw new FilterSyntax(`Invalid filter clause: syntax error at position ${peek()?.at ?? text.length} in '${text}'.`)
  }
  const take = (): Token => tokens[next++] ?? fail()
  const isWord = (word: string) => peek()?.kind === 'word' && peek()?.text.toLowerCase() === word
  const mark = (text: string) => {
    const token = take()
    if (token.kind !== 'mark' || token.text !== text) {
      next--
      fail()
    }
  }
  const literal = (): Literal => {
    const token = take()
    if (token.kind === 'string') return token.text
    if (token.text === 'true' || token.text === 'false') return token.text === 'true'
    if (token.text === 'null') return null
    if (token.kind === 'word' && /^-?\d+(\.\d+)?$/.test(token.text)) return Number(token.text)
    if (token.kind === 'word' && /^\d{4}-\d\d-\d\d/.test(token.text)) return token.text
    next--
    return fail()
  }
  const property = (): string => {
    const token = take()
    if (token.kind !== 'word') fail()
    return token.text
  }
  const chain = (word: 'and' | 'or', part: () => Filter): Filter => {
    const parts = [part()]
    while (isWord(word)) {
      next++
      parts.push(part())
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: word, parts }
  }
  const either = (): Filter => chain('or', both)
  const both = (): Filter => chain('and', one)
  const one = (): Filter => {
    if (isWord('not')) {
      next++
      return { kind: 'not', part: one() }
    }
    if (peek()?.kind === 'mark' && peek()?.text === '(') {
      next++
      const inner = either()
      mark(')')
      return inner
    }
    const name = property()
    if (peek()?.kind === 'mark' && peek()?.text === '(') return call(name)
    const operator = take().text.toLowerCase()
    if (operator === 'in') return membership(name)
    if (!comparisons.has(operator)) {
      next--
      fail()
    }
    return { kind: 'compare', property: name, operator: operator as Comparison, value: literal() }
  }
  const call = (name: string): Filter => {
    mark('(')
    const lower = name.toLowerCase()
    if (lower === 'startswith' || lower === 'endswith') {
      const of = property()
      mark(',')
      const value = literal()
      mark(')')
      return typeof value === 'string' ? { kind: lower, property: of, value } : fail()
    }
    const [of, word] = name.split('/')
    if (of === undefined || word?.toLowerCase() !== 'any') return fail()
    const [variable, compared = ''] = property().split(':') // `c:c eq …`, or `c: c eq …`
    if ((compared === '' ? property() : compared) !== variable || take().text !== 'eq') fail()
    const value = literal()
    mark(')')
    return { kind: 'any', property: of, value }
  }
  const membership = (name: string): Filter => {
    mark('(')
    const values = [literal()]
    while (peek()?.kind === 'mark' && peek()?.text === ',') {
      next++
      values.push(literal())
    }
    mark(')')
    return { kind: 'in', property: name, values }
  }
  const filter = either()
  if (peek() !== undefined) fail()
  return filter
}

const comparisons = new Set(['eq', 'ne', 'ge', 'le', 'gt', 'lt'])

const tokenize = (text: string): readonly Token[] => {
  const tokens: Token[] = []
  const pattern = /\s*(?:('(?:[^']|'')*')|([(),])|([^\s(),']+))/gy
  for (let at = 0; at < text.length; at = pattern.lastIndex) {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found === null) {
      if (text.slice(at).trim() === '') return tokens
      throw new FilterSyntax(
        `Invalid filter clause: there is an unterminated string literal at position ${at} in '${text}'.`,
      )
    }
    const [, string, mark, word] = found
    if (string !== undefined) tokens.push({ kind: 'string', text: string.slice(1, -1).replaceAll("''", "'"), at })
    else if (mark !== undefined) tokens.push({ kind: 'mark', text: mark, at })
    else if (word !== undefined) tokens.push({ kind: 'word', text: word, at })
  }
  return tokens
}
