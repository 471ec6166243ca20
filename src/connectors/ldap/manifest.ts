import type { Manifest } from '../connector.ts'

export const ldapManifest: Manifest = {
  batchSize: 500,
  settleMs: 0,
  disable: 'native',
  endSessions: 'none',
  deleteAccount: 'hard',
  pending: false,
  accountIds: 'opaque',
  permissions: {
    'find accounts, read them back, reconcile': [
      'read, search and compare below `searchBase`: `entryUUID`, `entryCSN`, the correlation attribute, those of `alternatives`, the mapped attributes, `objectClass`, `pwdAccountLockedTime`',
      "the root DSE's `namingContexts`",
    ],
    'create accounts': ['add entries below `peopleBase`, write their attributes and `userPassword`'],
    'keep attributes right': ['write the mapped attributes of `account.attributes`'],
    'open and shut accounts': ['manage `pwdAccountLockedTime` below `searchBase`'],
    'delete accounts': ['delete entries below `searchBase`'],
    'find groups, read members, prove a revoke': [
      'read and search below `groupsBase`: `entryUUID`, `entryCSN`, `objectClass`, the member attribute with all its values',
      '`size=unlimited`',
    ],
    'let in and take out': ['write the member attribute'],
  },
}
