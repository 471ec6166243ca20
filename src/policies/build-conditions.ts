import type { z } from 'zod'
import type { conditionEntry } from './policy-document.ts'
import type { Condition } from './policy-set.ts'

type Written = z.infer<typeof conditionEntry>
type Scalar = string | number | boolean

const list = (written: Scalar | readonly Scalar[]): readonly Scalar[] =>
  typeof written === 'object' ? [...new Set(written)].sort(byText) : [written]

const byText = (a: Scalar, b: Scalar): number => {
  const [x, y] = [JSON.stringify(a), JSON.stringify(b)]
  return x < y ? -1 : x > y ? 1 : 0
}

/** The long form of a condition as written: all of them must hold. */
export const conditionsOf = (written: Written): readonly Condition[] => {
  if (typeof written !== 'object' || Array.isArray(written)) return [{ kind: 'in', values: list(written) }]
  const found: Condition[] = []
  const { in: values, not, prefix, exists } = written
  if (values !== undefined) found.push({ kind: 'in', values: list(values) })
  if (typeof not === 'object' && 'prefix' in not) found.push({ kind: 'not-prefix', prefix: not.prefix })
  else if (not !== undefined) found.push({ kind: 'not-in', values: list(not) })
  if (prefix !== undefined) found.push({ kind: 'prefix', prefix })
  if (exists !== undefined) found.push({ kind: 'exists', exists })
  return found
}
