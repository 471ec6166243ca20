/** Slow looks at a text that was already found wanting: where, and of which kind. */

/** The text ends inside a string or with something still open: what a cut transmission looks like. */
export const isCutOff = (text: string): boolean => {
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const c = text[at]
    if (inString) {
      if (c === '\\') at++
      else if (c === '"') inString = false
    } else if (c === '"') inString = true
    else if (c === '{' || c === '[') depth++
    else if (c === '}' || c === ']') depth--
  }
  return inString || depth > 0 || text.trim() === ''
}

type Open = { readonly names: Set<string> | null; step: string }

/** JSON pointer of the first member that its object has twice; '' when there is none. The text is known to be JSON. */
export const findDuplicate = (text: string): string => {
  const open: Open[] = []
  for (let at = 0; at < text.length; at++) {
    const c = text[at]
    const inner = open.at(-1)
    if (c === '{') open.push({ names: new Set(), step: '' })
    else if (c === '[') open.push({ names: null, step: '0' })
    else if (c === '}' || c === ']') open.pop()
    else if (c === ',' && inner?.names === null) inner.step = String(Number(inner.step) + 1)
    else if (c === '"') {
      const end = endOfString(text, at)
      if (inner?.names != null && isFollowedByColon(text, end)) {
        const name = String(JSON.parse(text.slice(at, end)))
        inner.step = name
        if (inner.names.has(name)) return pointer(open.map(({ step }) => step))
        inner.names.add(name)
      }
      at = end - 1
    }
  }
  return ''
}

const endOfString = (text: string, from: number): number => {
  let at = from + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

const isFollowedByColon = (text: string, from: number): boolean => {
  let at = from
  while (at < text.length && ' \t\r\n'.includes(text[at] ?? '')) at++
  return text[at] === ':'
}

/** RFC 6901; a name of an unknown member is HR's, so it is cut short. */
export const pointer = (steps: readonly PropertyKey[]): string =>
  steps
    .map(
      (step) =>
        `/${String(step).slice(0, 64).toWellFormed().replaceAll('\0', '').replaceAll('~', '~0').replaceAll('/', '~1')}`,
    )
    .join('')
