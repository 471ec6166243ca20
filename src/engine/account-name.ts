import { createHash } from 'node:crypto'
import { foldDn, foldText, parseDn } from '../domain/dn.ts'

/** How an account's name differs from the one that was seen last: it is elsewhere, or it is only called otherwise. */
export type NameChange = 'account-moved' | 'account-renamed'

export const isNameChange = (drift: string): drift is NameChange =>
  drift === 'account-moved' || drift === 'account-renamed'

/**
 * What is kept of an account's name, so that a change is seen: hashes of its own part and of where it is, for a name is
 * personal data. Of a UPN or a user name all is its own part.
 */
export const keptName = (nativeId: string, name: string): string => {
  const [own = [], ...above] = parseDn(name) ?? []
  const parts = above.length === 0 ? [foldText(name), ''] : [foldDn([own]), foldDn(above)]
  return parts.map((part) => short(nativeId, part)).join('.')
}

export const nameChange = (kept: string, now: string): NameChange | null => {
  if (kept === now) return null
  const place = (name: string) => name.slice(name.indexOf('.') + 1)
  return place(kept) === place(now) ? 'account-renamed' : 'account-moved'
}

/** With the native id in it: equal parts of two accounts are not seen to be equal. */
const short = (nativeId: string, part: string): string =>
  createHash('sha256').update(`${nativeId}\n${part}`).digest('base64url').slice(0, 12)
