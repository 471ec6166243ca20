import type { Manifest } from '../connector.ts'
import type { EntraSettings } from './config.ts'

/** Application permissions, the least of each (Graph permissions reference). */
export const permissions = {
  'find accounts and groups, read back, reconcile': ['User.Read.All', 'GroupMember.Read.All'],
  'create accounts, keep attributes right': ['User.ReadWrite.All'],
  'open and shut accounts': ['User.EnableDisableAccount.All', 'User.Read.All'],
  'end sessions': ['User.RevokeSessions.All'],
  'delete accounts': ['User.DeleteRestore.All'],
  'let in and take out': ['GroupMember.ReadWrite.All'],
  'let into role-assignable groups (roleAssignableGroups)': ['RoleManagement.ReadWrite.Directory'],
  'groups with hidden membership (hiddenMembershipGroups)': ['Member.Read.Hidden'],
  'set employeeLeaveDateTime (if mapped)': ['User-LifeCycleInfo.ReadWrite.All'],
} as const

/** What one call carries: 25 requests of 20 members. More would outlive a lease where Graph is slow. */
const membersPerCall = 500

export const entraManifest = ({ settle }: Pick<EntraSettings, 'settle'>): Manifest => ({
  batchSize: membersPerCall,
  settleMs: settle.ms,
  disable: 'native',
  endSessions: 'native',
  deleteAccount: 'soft',
  pending: true,
  accountIds: 'opaque',
  permissions,
})
