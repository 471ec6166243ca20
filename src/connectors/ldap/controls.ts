import { AndFilter, Ber, BerWriter, Control, EqualityFilter, type Filter } from 'ldapts'
import { lockAttribute, lockedForGood } from './account.ts'

/**
 * RFC 4528: the server applies the change only to an entry of which this is true. It closes the gap between reading an entry
 * and writing to its name: whoever took the name meanwhile is not changed (result 122).
 */
export class EntryAssertion extends Control {
  static readonly type = '1.3.6.1.1.12'
  private readonly filter: Filter

  constructor(filter: Filter) {
    super(EntryAssertion.type, { critical: true })
    this.filter = filter
  }

  override writeControl(writer: BerWriter): void {
    const filter = new BerWriter()
    this.filter.write(filter)
    writer.writeBuffer(filter.buffer, Ber.OctetString)
  }
}

const has = (attribute: string, value: string): Filter => new EqualityFilter({ attribute, value })

/** The controls of a change that is meant for the entry with this entryUUID only. */
export const whileIts = (entryUuid: string): readonly Control[] => [new EntryAssertion(has('entryUUID', entryUuid))]

/** The same, and only as long as it is locked for good. */
export const whileShut = (entryUuid: string): readonly Control[] => [
  new EntryAssertion(new AndFilter({ filters: [has('entryUUID', entryUuid), has(lockAttribute, lockedForGood)] })),
]
