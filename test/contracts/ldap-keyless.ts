import { Attribute, Change } from 'ldapts'
import { createLdapConnector } from '../../src/connectors/ldap/connector.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import { freshName } from '../support/stack.ts'
import type { KeylessScene } from './keyless-accounts.ts'
import { type LdapWorld, target } from './ldap-world.ts'

/** People of an LDAP directory without the person key. */
export const keylessLdap = (world: LdapWorld): KeylessScene => ({
  world,
  correlation: 'employeeNumber',
  named: 'employeeType',
  writesKey: false,
  connect: (changes) => {
    const account = { rdn: 'uid={username}', attributes: { cn: 'Jo', sn: 'Doe' } }
    return createLdapConnector(target, world.configure({ account, ...changes }))
  },
  addAccount: async (attributes) => {
    const dn = `uid=${freshName()},${world.people}`
    await world.asRoot.add(dn, { objectClass: 'inetOrgPerson', cn: 'Jo', sn: 'Doe', ...attributes })
    const { searchEntries } = await world.asRoot.search(dn, { scope: 'base', attributes: ['entryUUID'] })
    return String(searchEntries[0]?.entryUUID) as NativeId
  },
  setMail: async (id, mail) => {
    const modification = new Attribute({ type: 'mail', values: [mail] })
    await world.asRoot.modify((await world.entryOf(id))?.dn ?? '', new Change({ operation: 'replace', modification }))
  },
})
