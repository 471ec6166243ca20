/** One RDN: attribute type (lower case) and unescaped value of each of its parts. */
export type Rdn = readonly { readonly type: string; readonly value: string }[]

const utf8 = new TextEncoder()
/** A byte order mark is a character of the value, like any other. */
const fromUtf8 = new TextDecoder('utf-8', { ignoreBOM: true })

const mustEscape = new Set(['"', '+', ',', ';', '<', '>', '\\', '='])

/** Escapes a value for use in an RDN (RFC 4514 §2.4). Escapes are hex, which every parser reads, ldapts' splitter included. */
export const escapeRdnValue = (value: string): string => {
  const hex = (character: string) =>
    [...utf8.encode(character)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')
  let escaped = ''
  for (let i = 0; i < value.length; i += 1) {
    const character = value.charAt(i)
    const edge = (i === 0 && (character === ' ' || character === '#')) || (i === value.length - 1 && character === ' ')
    escaped +=
      edge || mustEscape.has(character) || character < ' ' || character === '\u007f' ? hex(character) : character
  }
  return escaped
}

/** Parses a DN as RFC 4514 writes it and RFC 2253 tolerates it (spaces around separators, quoted values); null when it is none. */
export const parseDn = (text: string): readonly Rdn[] | null => {
  if (text.trim() === '') return []
  const rdns: Rdn[] = []
  let rdn: { type: string; value: string }[] = []
  let at = 0
  const skipSpaces = () => {
    while (text[at] === ' ') at += 1
  }
  for (;;) {
    skipSpaces()
    const type = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)/.exec(text.slice(at))?.[0]
    if (type === undefined) return null
    at += type.length
    skipSpaces()
    if (text[at] !== '=') return null
    at += 1
    skipSpaces()
    const read = readValue(text, at)
    if (read === null) return null
    at = read.end
    rdn.push({ type: type.toLowerCase(), value: read.value })
    const separator = text[at]
    if (separator === undefined) return [...rdns, rdn]
    if (separator !== '+') {
      rdns.push(rdn)
      rdn = []
    }
    at += 1
  }
}

const readValue = (text: string, start: number): { value: string; end: number } | null => {
  const quoted = text[start] === '"'
  const bytes: number[] = []
  let plain = ''
  /** Length of the value so far up to its last character that is not an unescaped space. */
  let kept = 0
  let length = 0
  let at = quoted ? start + 1 : start
  const take = (piece: string | number, keep: boolean) => {
    if (typeof piece === 'string') plain += piece
    else {
      bytes.push(...utf8.encode(plain), piece)
      plain = ''
    }
    length += typeof piece === 'string' ? utf8.encode(piece).length : 1
    if (keep) kept = length
  }
  for (;;) {
    const character = text[at]
    if (character === undefined) {
      if (quoted) return null
      break
    }
    if (quoted && character === '"') {
      at += 1
      while (text[at] === ' ') at += 1
      if (text[at] !== undefined && !',;+'.includes(text[at] ?? '')) return null
      break
    }
    if (!quoted && (character === ',' || character === ';' || character === '+')) break
    if (character === '\\') {
      const pair = text.slice(at + 1, at + 3)
      if (/^[0-9a-fA-F]{2}$/.test(pair)) {
        take(Number.parseInt(pair, 16), true)
        at += 3
      } else {
        const next = text[at + 1]
        if (next === undefined) return null
        take(next, true)
        at += 2
      }
      continue
    }
    if (!quoted && character === '"') return null
    take(character, quoted || character !== ' ')
    at += 1
  }
  bytes.push(...utf8.encode(plain))
  return { value: fromUtf8.decode(Uint8Array.from(bytes.slice(0, kept))), end: at }
}

/**
 * A DN that needs no parsing to be compared: ASCII (compatibility forms of other scripts may fold to separators), without
 * escapes, quotes, several-valued RDNs or spaces beside separators.
 */
const word = '[^\\u0000-\\u0020"#+,;<=>\\\\\\u007f-\\uffff]+'
const attribute = `[a-z][a-z0-9-]*=${word}(?: ${word})*`
const simple = new RegExp(`^${attribute}(?:,${attribute})*$`)

/**
 * Key under which two spellings of one DN are equal: case, escapes and spacing aside (caseIgnoreMatch, which every usual
 * naming attribute has). What is no DN stays distinct from every DN.
 */
export const dnKey = (text: string): string => {
  const folded = text.toLowerCase()
  if (simple.test(folded)) return folded
  const parsed = parseDn(text)
  return parsed === null ? `\u0000${text}` : foldDn(parsed)
}

/** Case, escapes, spacing and the order within an RDN aside. */
export const foldDn = (rdns: readonly Rdn[]): string =>
  rdns
    .map((rdn) =>
      rdn
        .map(({ type, value }) => `${type}=${escapeRdnValue(foldText(value))}`)
        .sort()
        .join('+'),
    )
    .join(',')

/**
 * Whether a value has white space that is no blank, such as a tab: RFC 4518 takes it for one, and so does `dnKey`; OpenLDAP does not, and
 * keeps both names side by side.
 */
export const hasOddSpace = (text: string): boolean =>
  parseDn(text)?.some((rdn) => rdn.some(({ value }) => /[^\S ]/.test(value.normalize('NFKC')))) === true

/** As caseIgnoreMatch compares (RFC 4518), near enough. */
export const foldText = (text: string): string => text.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ')
