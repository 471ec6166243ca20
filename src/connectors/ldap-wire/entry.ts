import { setImmediate } from 'node:timers/promises'
import { Ber, BerReader } from 'ldapts'

/** An entry as read. Attribute names in lower case; an attribute without values is absent. */
export type Entry = { readonly dn: string; readonly attributes: ReadonlyMap<string, readonly string[]> }

/** Attributes whose values are no text, in lower case → how they are written as text. */
export type Decoders = ReadonlyMap<string, (value: Buffer) => string>

/** Values decoded between two turns of the event loop: well below 5 ms. */
const valuesPerTurn = 2_000

const tags = { message: 0x30, entry: 0x64, set: 0x31 }

/** Decodes search result entries, yielding to the event loop between pieces of large ones. */
export const decodeEntries = async (
  messages: readonly Buffer[],
  decoders: Decoders = new Map(),
): Promise<readonly Entry[]> => {
  const entries: Entry[] = []
  let untilYield = valuesPerTurn
  for (const bytes of messages) {
    untilYield -= 1
    const reader = new BerReader(bytes)
    reader.readSequence(tags.message)
    reader.readInt()
    reader.readSequence(tags.entry)
    const dn = reader.readString() ?? ''
    reader.readSequence()
    const attributes = new Map<string, string[]>()
    const end = reader.offset + reader.length
    while (reader.offset < end) {
      reader.readSequence()
      const name = (reader.readString() ?? '').toLowerCase()
      reader.readSequence(tags.set)
      const valuesEnd = reader.offset + reader.length
      const values: string[] = []
      const decode = decoders.get(name)
      while (reader.offset < valuesEnd) {
        if (decode === undefined) values.push(reader.readString() ?? '')
        else values.push(decode(reader.readString(Ber.OctetString, true) ?? Buffer.alloc(0)))
        untilYield -= 1
        if (untilYield <= 0) {
          untilYield = valuesPerTurn
          await setImmediate()
        }
      }
      if (values.length > 0) attributes.set(name, values)
    }
    entries.push({ dn, attributes })
  }
  return entries
}

export const valuesOf = (entry: Entry, attribute: string): readonly string[] =>
  entry.attributes.get(attribute.toLowerCase()) ?? []
export const firstValue = (entry: Entry, attribute: string): string | undefined => valuesOf(entry, attribute)[0]
