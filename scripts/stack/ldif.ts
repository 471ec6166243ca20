/** As much of LDIF (RFC 2849) as ldapsearch prints and examples/bank/directory.ldif uses. */

export type LdifEntry = {
  readonly dn: string
  readonly attributes: Readonly<Record<string, string[]>>
  /** Empty when it has none. */
  readonly values: (attribute: string) => readonly string[]
}

export const ldifEntries = (text: string): readonly LdifEntry[] =>
  text
    .replace(/\r?\n /g, '')
    .split(/\n\s*\n/)
    .flatMap((block) => {
      let dn: string | undefined
      const attributes: Record<string, string[]> = {}
      for (const line of block.split('\n')) {
        const [, name, encoded, written] = /^([^#:][^:]*):(:?) ?(.*)$/.exec(line) ?? []
        if (name === undefined || written === undefined) continue
        const value = encoded === ':' ? Buffer.from(written, 'base64').toString('utf8') : written
        if (name.toLowerCase() === 'dn') dn = value
        else attributes[name] = [...(attributes[name] ?? []), value]
      }
      return dn === undefined ? [] : [{ dn, attributes, values: (attribute: string) => attributes[attribute] ?? [] }]
    })
