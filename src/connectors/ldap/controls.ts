import { Ber, BerWriter, Control, EqualityFilter } from 'ldapts'

/**
 * RFC 4528: the server applies the change only to the entry with this entryUUID. It closes the gap between resolving a name
 * and writing to it: whoever took the name meanwhile is not changed (result 122).
 */
export class EntryUuidAssertion extends Control {
  static readonly type = '1.3.6.1.1.12'
  private readonly entryUuid: string

  constructor(entryUuid: string) {
    super(EntryUuidAssertion.type, { critical: true })
    this.entryUuid = entryUuid
  }

  override writeControl(writer: BerWriter): void {
    const filter = new BerWriter()
    new EqualityFilter({ attribute: 'entryUUID', value: this.entryUuid }).write(filter)
    writer.writeBuffer(filter.buffer, Ber.OctetString)
  }
}

/** The controls of a change that is meant for the entry with this entryUUID only. */
export const whileIts = (entryUuid: string): readonly Control[] => [new EntryUuidAssertion(entryUuid)]
