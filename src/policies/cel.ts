import { type ASTNode, Environment } from '@marcbachmann/cel-js'
import { attributeOf, type Facts } from './conditions.ts'

/** Answers for one employment; an expression that fails on it (absent attribute, wrong type) grants nothing. */
export type CelCondition = (
  facts: Facts,
) => { readonly kind: 'value'; readonly value: boolean } | { readonly kind: 'failed'; readonly message: string }

const environment = new Environment({
  limits: { maxAstNodes: 500, maxDepth: 50, maxListElements: 200, maxMapEntries: 50, maxCallArguments: 16 },
}).registerVariable('worker', 'map')

export type CelProblem = { readonly message: string; readonly offset: number }

export type CelCheck = {
  readonly problems: readonly CelProblem[]
  readonly attributes: readonly { readonly name: string; readonly offset: number }[]
  /** false: it says the same of everybody. */
  readonly readsWorker: boolean
}

/** Syntax and type errors of an expression, and the worker attributes it reads. `offset` counts characters. */
export const checkCel = (expression: string): CelCheck => {
  try {
    const parsed = environment.parse(expression)
    const checked = parsed.check()
    if (!checked.valid) return broken(celProblem(checked.error))
    if (checked.type !== 'bool' && checked.type !== 'dyn')
      return broken({ message: `the expression answers ${checked.type}, not true or false`, offset: 0 })
    return { problems: [], ...attributesRead(parsed.ast) }
  } catch (error) {
    return broken(celProblem(error))
  }
}

const broken = (problem: CelProblem): CelCheck => ({ problems: [problem], attributes: [], readsWorker: true })

const celProblem = (error: unknown): CelProblem => {
  const { summary, message, range } = error as { summary?: string; message?: string; range?: { start: number } }
  return { message: summary ?? message?.split('\n')[0] ?? String(error), offset: range?.start ?? 0 }
}

const attributesRead = (root: ASTNode): Omit<CelCheck, 'problems'> => {
  const found: { name: string; offset: number }[] = []
  let readsWorker = false
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit)
    if (!isNode(node)) return
    const path = attributePath(node)
    if (path !== null) readsWorker = true
    if (path === null || path === '' || path === 'custom') visit(node.args)
    else found.push({ name: path, offset: node.start })
  }
  visit(root)
  return { attributes: found, readsWorker }
}

const isNode = (node: unknown): node is ASTNode =>
  typeof node === 'object' && node !== null && !Array.isArray(node) && 'op' in node && 'args' in node

/** `worker` → '', `worker.jobCode` → 'jobCode', `worker.custom.grade` → 'custom.grade'; anything else → null. */
const attributePath = (node: ASTNode): string | null => {
  if (node.op === 'id') return node.args === 'worker' ? '' : null
  const [object, member] =
    node.op === '.' || node.op === '.?' ? node.args : node.op === '[]' ? constantMember(node.args) : [null, null]
  if (object === null || member === null) return null
  const parent = attributePath(object)
  return parent === '' ? member : parent === 'custom' ? `custom.${member}` : null
}

const constantMember = ([object, key]: [ASTNode, ASTNode]): [ASTNode, string] | [null, null] =>
  key.op === 'value' && typeof key.args === 'string' ? [object, key.args] : [null, null]

export const compileCel = (expression: string): CelCondition => {
  const run = environment.parse(expression)
  return (facts) => {
    try {
      const value: unknown = run({ worker: celWorker(facts) })
      return typeof value === 'boolean'
        ? { kind: 'value', value }
        : { kind: 'failed', message: 'the expression did not answer true or false' }
    } catch (error) {
      return { kind: 'failed', message: celProblem(error).message }
    }
  }
}

/** Absent attributes are absent, not null: `has(worker.department)` tells. */
const celWorker = (facts: Facts): ReadonlyMap<string, unknown> => {
  const worker = new Map<string, unknown>()
  const custom = new Map<string, unknown>()
  for (const [name, value] of Object.entries(facts.worker.attributes)) {
    if (value === null) continue
    if (name.startsWith('custom.')) custom.set(name.slice('custom.'.length), value)
    else worker.set(name, value)
  }
  for (const name of ['status', 'primary', 'involuntary']) worker.set(name, attributeOf(facts, name))
  return worker.set('custom', custom)
}
