import type { NativeId } from '../../domain/ids.ts'

/** `<GUID=…>;<SID=…>;CN=…`: how AD writes every DN when asked with the extended-DN control. */
export type ExtendedDn = {
  readonly guid: NativeId
  /** Objects that may sign in or be given rights have one. */
  readonly sid: string | undefined
  readonly dn: string
}

const form = /^<GUID=([0-9a-fA-F-]{36})>;(?:<SID=([^>]+)>;)?(.*)$/s

/** null: the server did not write it so. */
export const parseExtendedDn = (text: string): ExtendedDn | null => {
  const [, guid, sid, dn] = form.exec(text) ?? []
  return guid === undefined || dn === undefined ? null : { guid: guid.toLowerCase() as NativeId, sid, dn }
}

/** Native id of an entry as read; undefined: the server did not write its DN so. */
export const guidOf = ({ dn }: { readonly dn: string }): NativeId | undefined => parseExtendedDn(dn)?.guid

/** The first RDN of a DN as it is written there, and the DN of its parent. */
export const splitDn = (dn: string): { readonly rdn: string; readonly parent: string } => {
  for (let at = 0; at < dn.length; at += 1) {
    if (dn[at] === '\\') at += 1
    else if (dn[at] === ',') return { rdn: dn.slice(0, at), parent: dn.slice(at + 1).trimStart() }
  }
  return { rdn: dn, parent: '' }
}
