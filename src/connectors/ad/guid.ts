/**
 * objectGUID as Microsoft writes it: the first three fields are little endian in the bytes, big endian in the text
 * (MS-DTYP §2.3.4). Canonical here: lower case, with hyphens, without braces.
 */
const swapped = (hex: string): string => (hex.match(/../g) ?? []).reverse().join('')

export const guidText = (bytes: Buffer): string => {
  const hex = bytes.toString('hex')
  const [a, b, c] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16)].map(swapped)
  return `${a}-${b}-${c}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

export const guidBytes = (text: string): Buffer => {
  const [a = '', b = '', c = '', ...rest] = text.split('-')
  return Buffer.from(`${swapped(a)}${swapped(b)}${swapped(c)}${rest.join('')}`, 'hex')
}

export const isGuid = (text: string): boolean => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)

/** A DN that names the object whatever it is called and wherever it is (MS-ADTS §3.1.1.3.1.2.4). */
export const guidDn = (guid: string): string => `<GUID=${guid}>`

/** S-1-5-21-…: revision, authority and sub-authorities (MS-DTYP §2.4.2). */
export const sidText = (bytes: Buffer): string => {
  const count = bytes[1] ?? 0
  const parts = Array.from({ length: count }, (_, at) => bytes.readUInt32LE(8 + 4 * at))
  return `S-${bytes[0]}-${bytes.readUIntBE(2, 6)}${parts.map((part) => `-${part}`).join('')}`
}
