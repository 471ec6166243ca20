import { isCollection, isMap, isPair, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml'
import { didYouMean, type Problem } from './problem.ts'

export type PolicyFile = { readonly path: string; readonly text: string }

/** Members and list positions from the top of a file down to a value. */
export type YamlPath = readonly (string | number)[]

/** One file as plain values that still know where they were written. */
export type YamlFile = {
  readonly path: string
  /** undefined when the text is not YAML. */
  readonly value: unknown
  /** A problem with what stands at `path`; with `at: 'key'`, with the member's name itself. */
  readonly problem: (path: YamlPath, message: string, hint?: string | null, at?: 'key' | 'value') => Problem
  /** Where the characters of a one-line text begin, so that a position inside it can be shown; null for others. */
  readonly textStart: (path: YamlPath) => { readonly line: number; readonly column: number } | null
}

/** PostgreSQL keeps neither U+0000 nor half of a surrogate pair: the escapes that may write one. */
const mayNotBeKept = /\\(?:0|[xuU]0*0|[uU]0*[dD][89a-fA-F])/

/** Reads YAML 1.2. What cannot be read is told; a key that is written twice does not hide the other mistakes. */
export const readYamlFile = ({
  path,
  text,
}: PolicyFile): { readonly file: YamlFile; readonly problems: readonly Problem[] } => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' })
  const position = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const problems: Problem[] = []
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    const twice = code === 'DUPLICATE_KEY'
    problems.push({
      path,
      ...position(pos[0]),
      message: twice
        ? `${/^[\w.-]+/.exec(text.slice(pos[0]))?.[0] ?? 'a key'} is written twice in the same place`
        : `not readable as YAML: ${message}`,
      hint: twice ? 'only one of them can be meant: remove or rename the other' : null,
    })
  }
  const readable = document.errors.every(({ code }) => code === 'DUPLICATE_KEY')
  if (readable && (text.includes('\0') || mayNotBeKept.test(text)))
    visit(document, {
      Scalar: (_, { value: held, range }) => {
        if (typeof held === 'string' && (held.includes('\0') || !held.isWellFormed()))
          problems.push({
            path,
            ...position(range?.[0] ?? 0),
            message: 'holds U+0000 or half of a character, which cannot be kept',
            hint: null,
          })
      },
    })
  const value = readable ? toPlain(document, problems, path) : undefined
  const file: YamlFile = {
    path,
    value,
    problem: (at, message, hint = null, what = 'value') => ({
      path,
      ...position(offsetOf(document.contents, at, what)),
      message,
      hint,
    }),
    textStart: (at) => {
      const node = nodeAt(document.contents, at)
      if (
        !isScalar(node) ||
        !node.range ||
        (node.type !== 'PLAIN' && node.type !== 'QUOTE_SINGLE' && node.type !== 'QUOTE_DOUBLE')
      )
        return null
      const start = position(node.range[0])
      if (position(node.range[1]).line !== start.line) return null
      return node.type === 'PLAIN' ? start : { ...start, column: start.column + 1 }
    },
  }
  return { file, problems }
}

const toPlain = (document: ReturnType<typeof parseDocument>, problems: Problem[], path: string): unknown => {
  try {
    return document.toJS({ mapAsMap: false })
  } catch (error) {
    // Aliases without an anchor, or enough of them to exhaust memory.
    problems.push({
      path,
      line: 1,
      column: 1,
      message: `not readable as YAML: ${error instanceof Error ? error.message : String(error)}`,
      hint: null,
    })
    return undefined
  }
}

const nodeAt = (root: Node | null, path: YamlPath): unknown =>
  path.length === 0 ? root : isCollection(root) ? root.getIn(path, true) : undefined

/** Falls back to the nearest thing above that has a place: a missing member is shown at what it is missing from. */
const offsetOf = (root: Node | null, path: YamlPath, what: 'key' | 'value'): number => {
  if (path.length === 0) return root?.range?.[0] ?? 0
  const parent = path.length === 1 ? root : nodeAt(root, path.slice(0, -1))
  const last = path.at(-1)
  if (isMap(parent)) {
    const pair = parent.items.find(
      (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(last),
    )
    const keyOffset = isScalar(pair?.key) ? pair.key.range?.[0] : undefined
    const valueOffset = (pair?.value as Node | null | undefined)?.range?.[0]
    const offset = what === 'key' ? keyOffset : (valueOffset ?? keyOffset)
    if (offset !== undefined) return offset
  } else if (isCollection(parent)) {
    const offset = (nodeAt(root, path) as Node | undefined)?.range?.[0]
    if (offset !== undefined) return offset
  }
  return offsetOf(root, path.slice(0, -1), 'key')
}

export const unknownMember = (
  written: string,
  known: readonly string[],
): { readonly message: string; readonly hint: string } => ({
  message: `unknown member ${JSON.stringify(written)}`,
  hint: didYouMean(written, known) ?? `known here: ${known.join(', ')}`,
})
