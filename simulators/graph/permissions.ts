/** Application permissions, per operation: any of a list suffices. From the «Permissions» table of each API page. */
const directory = { read: ['Directory.Read.All', 'Directory.ReadWrite.All'], write: ['Directory.ReadWrite.All'] }

export const permissions = {
  readUsers: ['User.Read.All', 'User.ReadWrite.All', ...directory.read],
  writeUsers: ['User.ReadWrite.All', ...directory.write],
  /** user-update: accountEnabled alone, «User.EnableDisableAccount.All + User.Read.All». */
  enableUsers: ['User.EnableDisableAccount.All'],
  /** employeeLeaveDateTime is beyond User.ReadWrite.All. */
  writeLeaveDate: ['User-LifeCycleInfo.ReadWrite.All'],
  revokeSessions: ['User.RevokeSessions.All', 'User.ReadWrite.All', ...directory.write],
  deleteUsers: ['User.DeleteRestore.All', 'User.ReadWrite.All', ...directory.write],
  readGroups: [
    'GroupMember.Read.All',
    'Group.Read.All',
    'GroupMember.ReadWrite.All',
    'Group.ReadWrite.All',
    ...directory.read,
  ],
  writeGroups: ['Group.ReadWrite.All', ...directory.write],
  createGroups: ['Group.Create', 'Group.ReadWrite.All', ...directory.write],
  writeMembers: ['GroupMember.ReadWrite.All', 'Group.ReadWrite.All', ...directory.write],
  /** group resource page: members of role-assignable groups. */
  writeRoleGroups: ['RoleManagement.ReadWrite.Directory'],
  readObjects: ['User.Read.All', 'User.ReadWrite.All', 'Group.Read.All', 'Group.ReadWrite.All', ...directory.read],
  readDeleted: ['User.Read.All', 'User.ReadWrite.All', 'Group.Read.All', 'Group.ReadWrite.All', ...directory.read],
  /** group-list-members: «to list the members of a hidden membership group, the Member.Read.Hidden permission is required». */
  readHidden: ['Member.Read.Hidden'],
  readOrganization: ['Organization.Read.All', ...directory.read],
} as const satisfies Readonly<Record<string, readonly string[]>>

export const everyPermission: readonly string[] = [...new Set(Object.values(permissions).flat())]
