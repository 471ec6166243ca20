import { foldDn, foldText, parseDn, type Rdn } from './dn.ts'

/** Attribute types of usual names that may be written in several ways (RFC 4519 §2, RFC 4512 §1.4). */
const shortTypes: ReadonlyMap<string, string> = new Map([
  ['commonname', 'cn'],
  ['2.5.4.3', 'cn'],
  ['organizationalunitname', 'ou'],
  ['2.5.4.11', 'ou'],
  ['organizationname', 'o'],
  ['2.5.4.10', 'o'],
  ['domaincomponent', 'dc'],
  ['0.9.2342.19200300.100.1.25', 'dc'],
  ['userid', 'uid'],
  ['0.9.2342.19200300.100.1.1', 'uid'],
])

/**
 * Key under which all spellings of one name on a target are equal: DNs as directories compare them, anything else without
 * case and surplus spaces. What policy calls a thing and what a read calls it meet here, and nowhere else.
 */
export const lookupKey = (lookup: string): string => {
  const dn = parseDn(lookup)
  return dn === null ? foldText(lookup) : foldDn(dn.map(shortened))
}

const shortened = (rdn: Rdn): Rdn => rdn.map(({ type, value }) => ({ type: shortTypes.get(type) ?? type, value }))
