import { connectorContract } from './connector-contract.ts'
import { makeLdap, openLdapWorld } from './ldap-world.ts'

connectorContract('OpenLDAP', makeLdap, () => openLdapWorld())
