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
    'find accounts and groups': [
      'read: peopleBase, groupsBase, searchBase; entryUUID, the correlation attribute, those of alternatives, memberships',
    ],
    'create accounts': ['add: below peopleBase', 'read: what was written'],
    'keep attributes right': ['write: the mapped attributes'],
    'open and shut accounts': ['manage: pwdAccountLockedTime below searchBase (relax)'],
    'let in and take out': ['write: the member attribute below groupsBase'],
    'delete accounts': ['delete: below searchBase'],
  },
}
