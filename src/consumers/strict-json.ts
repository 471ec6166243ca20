import type { Problem, QuarantineReason } from '../domain/inbox-message.ts'
import { findDuplicate, isCutOff } from './json-scan.ts'

/** `members`: how many members all its objects have together. */
export type StrictJson =
  | { readonly kind: 'json'; readonly value: unknown; readonly members: number }
  | { readonly kind: 'bad'; readonly reason: QuarantineReason; readonly problem: Problem; readonly value: unknown }

/** Deeper nesting than this is refused: an event has four levels. */
export const maxDepth = 32

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * JSON as RFC 8259 and I-JSON want it: UTF-8, no member twice, no `__proto__`, no text that a database cannot hold.
 * JSON.parse swallows duplicates, so the members in the text are counted and compared with those of the result: two
 * passes without a hash, and a slow look only where the counts differ. `value`, where it could be parsed nevertheless,
 * is for telling what was refused.
 */
export const parseStrict = (bytes: Uint8Array): StrictJson => {
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    return bad('invalid-utf8', '', 'is not UTF-8')
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own message quotes the text: not repeated.
    return isCutOff(text) ? bad('truncated-json', '', 'ends too early') : bad('invalid-json', '', 'is not JSON')
  }
  const walk = { members: 0, fault: null as 'too-deep' | 'forbidden-member' | null }
  visit(value, 0, walk)
  if (walk.fault === 'too-deep') return bad('too-deep', '', `is nested deeper than ${maxDepth} levels`, value)
  if (walk.fault === 'forbidden-member') return bad('forbidden-member', '', 'has a member __proto__', value)
  if (countMembers(text) !== walk.members)
    return bad('duplicate-member', findDuplicate(text), 'stands there twice', value)
  // Only an escape can write U+0000 or half a surrogate pair; PostgreSQL holds neither.
  if (text.includes('\\u') && !isStorable(value))
    return bad('invalid-text', '', 'holds U+0000 or half a surrogate pair', value)
  return { kind: 'json', value, members: walk.members }
}

const bad = (reason: QuarantineReason, path: string, message: string, value?: unknown): StrictJson => ({
  kind: 'bad',
  reason,
  problem: { path, message },
  value,
})

type Walk = { members: number; fault: 'too-deep' | 'forbidden-member' | null }

const visit = (value: unknown, depth: number, walk: Walk): void => {
  if (typeof value !== 'object' || value === null) return
  if (depth >= maxDepth) {
    walk.fault = 'too-deep'
    return
  }
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') visit(item, depth + 1, walk)
    return
  }
  for (const name in value) {
    walk.members++
    if (name === '__proto__') walk.fault ??= 'forbidden-member'
    const member = (value as Record<string, unknown>)[name]
    if (typeof member === 'object') visit(member, depth + 1, walk)
  }
}

/** Members of all objects of a parsed value, as `members` counts them. */
export const membersOf = (value: unknown): number => {
  const walk: Walk = { members: 0, fault: null }
  visit(value, 0, walk)
  return walk.members
}

/** Strings that a colon follows. The text is known to be JSON. */
const countMembers = (text: string): number => {
  let members = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (!inString) inString = code === 34
    else if (code === 92) at++
    else if (code === 34) {
      inString = false
      let next = at + 1
      for (let c = text.charCodeAt(next); c === 32 || c === 10 || c === 13 || c === 9; c = text.charCodeAt(next)) next++
      if (text.charCodeAt(next) === 58) members++
    }
  }
  return members
}

export const isStorableText = (text: string): boolean => text.isWellFormed() && !text.includes('\0')

const isStorable = (value: unknown): boolean => {
  if (typeof value === 'string') return isStorableText(value)
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isStorable)
  return Object.entries(value).every(([name, member]) => isStorableText(name) && isStorable(member))
}
