/** What an LDAP message asks for, read from the bytes of an unencrypted connection (RFC 4511 §4.1.1). */
const tags = { modify: 0x66, modifyResponse: 0x67, add: 0x68, addResponse: 0x69 } as const
export type LdapMessage = keyof typeof tags

/** Whether this piece of traffic begins with such a message: our connections send one a piece. */
export const isMessage = (bytes: Buffer, ...kinds: readonly LdapMessage[]): boolean => {
  if (bytes[0] !== 0x30) return false
  const lengthBytes = ((bytes[1] ?? 0) & 0x80) === 0 ? 1 : 1 + ((bytes[1] ?? 0) & 0x7f)
  const id = 1 + lengthBytes
  if (bytes[id] !== 0x02) return false
  const operation = bytes[id + 2 + (bytes[id + 1] ?? 0)]
  return kinds.some((kind) => tags[kind] === operation)
}
