import { Ber, BerWriter, Control } from 'ldapts'

/** LDAP_SERVER_EXTENDED_DN_OID: DNs come as `<GUID=…>;<SID=…>;CN=…` (MS-ADTS §3.1.1.3.4.1.5). */
export class ExtendedDnControl extends Control {
  static readonly type = '1.2.840.113556.1.4.529'

  constructor() {
    super(ExtendedDnControl.type, { critical: true })
  }

  override writeControl(writer: BerWriter): void {
    const value = new BerWriter()
    value.startSequence()
    value.writeInt(1) // GUIDs and SIDs as text, not as hex
    value.endSequence()
    writer.writeBuffer(value.buffer, Ber.OctetString)
  }
}

/** LDAP_SERVER_DOMAIN_SCOPE_OID: no references to other partitions (§3.1.1.3.4.1.2): a search tells all of its own. */
export const domainScope = new Control('1.2.840.113556.1.4.1339', { critical: true })
/** LDAP_SERVER_SHOW_DELETED_OID: tombstones too (§3.1.1.3.4.1.14). */
export const showDeleted = new Control('1.2.840.113556.1.4.417', { critical: true })
/** LDAP_SERVER_TREE_DELETE_OID: an object with what is below it (§3.1.1.3.4.1.15). */
export const treeDelete = new Control('1.2.840.113556.1.4.805', { critical: true })
