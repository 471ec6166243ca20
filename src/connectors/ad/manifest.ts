import type { Manifest } from '../connector.ts'
import type { AdSettings } from './config.ts'
import { settleMs } from './settling.ts'

export const adManifest = ({ recycleBin, urls }: Pick<AdSettings, 'recycleBin' | 'urls'>): Manifest => ({
  batchSize: 500,
  // A call's reads go to the controller that it wrote to; the next call's may go to another.
  settleMs: urls.length > 1 ? settleMs : 0,
  disable: 'native',
  endSessions: 'none',
  deleteAccount: recycleBin ? 'soft' : 'hard',
  pending: false,
  accountIds: 'opaque',
  permissions: {
    'find accounts and groups': ['List Contents, Read All Properties: searchBase'],
    'create accounts': ['Create User objects, Write All Properties, Reset Password: peopleBase'],
    'keep attributes right': ['Write: the mapped attributes of User objects'],
    'open and shut accounts': ['Write userAccountControl of User objects'],
    'let in and take out': ['Write member of Group objects: groupsBase'],
    'part with leavers': [
      'Create and Delete User objects, Write name and cn: peopleBase and leaver.moveTo',
      'Reset Password, Write pwdLastSet, Write manager of User objects',
    ],
    'delete accounts': ['Delete User objects: peopleBase and leaver.moveTo'],
  },
})
