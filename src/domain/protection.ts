import { foldText, parseDn } from './dn.ts'
import { lookupKey } from './lookup-key.ts'

/** What Muster never touches on a target, as its configuration says (break-glass accounts, the target's own groups). */
export type Protection = {
  /** Native ids. */
  readonly accounts: readonly string[]
  /** Names of entitlements as the target or the catalogue has them, or native ids; `*` stands for anything. Case is ignored. */
  readonly entitlements: readonly string[]
}

export const nothingProtected: Protection = { accounts: [], entitlements: [] }

export const isProtectedAccount = ({ accounts }: Protection, nativeId: string): boolean =>
  accounts.some((one) => one.toLowerCase() === nativeId.toLowerCase())

/** A name as the catalogue or the target has it, or a native id: each in all the ways in which it may be written. */
export const isProtectedEntitlement = ({ entitlements }: Protection, name: string): boolean => {
  if (entitlements.length === 0) return false
  const names = spellings(name, [guid, ...wrapped])
  return entitlements.some((pattern) => formsOf(pattern).some((form) => names.some((one) => matches(form, one))))
}

/** Patterns are configuration, and few; they are compared with every grant of everybody. */
const formsOf = (pattern: string): readonly string[] => {
  const forms = known.get(pattern) ?? spellings(pattern, [guid])
  known.set(pattern, forms)
  return forms
}
const known = new Map<string, readonly string[]>()

const spellings = (text: string, wrappings: readonly RegExp[]): readonly string[] => {
  const bare = wrappings.flatMap((form) => form.exec(text.trim())?.[1] ?? [])
  return [...new Set([text, ...bare].flatMap((one) => [asDn(one), asText(one)]))]
}

/** A name that Active Directory takes for the native id. */
const guid = /^<GUID=(.+)>$/i

/** What catalogues write around a name: Identity Center, IAM, Entra ID. A pattern may say it, or leave it out. */
const wrapped: readonly RegExp[] = [
  /^group\/(.+)$/i,
  /^assignment\/\d{12}\/(.+)$/i,
  /^(?:arn:[^:]*:iam::\d*:)?role\/(?:.*\/)?([^/]+)$/i,
  /^displayName:\s*(.+)$/i,
]

/** As directories compare: a DN, or those parts of a pattern that are one (`cn=app_*,*`). */
const asDn = (text: string): string =>
  parseDn(text) === null ? partsOf(text).map(lookupKey).join(',') : lookupKey(text)

/** Between commas that are no part of a value. */
const partsOf = (text: string): readonly string[] => text.match(/(?:\\.|[^\\,])+/gs) ?? []

/** Letter by letter, but for case and for blanks around the signs of a DN. */
const asText = (text: string): string => foldText(text).replace(/ ?([,=+]) ?/g, '$1')

/** Without regular expressions: a pattern is configuration, and may hold whatever a name may hold. */
const matches = (pattern: string, name: string): boolean => {
  const [first = '', ...rest] = pattern.split('*')
  if (!name.startsWith(first)) return false
  if (rest.length === 0) return name.length === first.length
  const last = rest.pop() ?? ''
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return name.length - last.length >= at && name.endsWith(last)
}
