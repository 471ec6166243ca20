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
    'find accounts and groups, read them back': [
      'List Contents, Read All Properties, `memberOf` and `userAccountControl` among them: the domain',
    ],
    'create accounts': ['Create User objects; Write All Properties and Reset Password on User objects: `peopleBase`'],
    'keep attributes right': ['Write of the mapped attributes, on User objects: `peopleBase`, `leaver.moveTo`'],
    'open and shut accounts': ['Write `userAccountControl`, on User objects: `peopleBase`, `leaver.moveTo`'],
    'let in and take out': ['Write `member`, on Group objects: `groupsBase`'],
    'move leavers, and back': [
      'Delete, Write `name` and `cn`, on User objects; Create User objects: `peopleBase` and `leaver.moveTo`',
    ],
    "reset leavers' passwords": ['Reset Password, Write `pwdLastSet`, on User objects: `peopleBase`, `leaver.moveTo`'],
    "clear leavers' managers": ['Write `manager`, on User objects: `peopleBase`, `leaver.moveTo`'],
    'delete accounts': ['Delete and Delete Subtree, on User objects: `peopleBase`, `leaver.moveTo`'],
    'find changes': ['List Contents, Read Property: `CN=Deleted Objects`'],
  },
})
