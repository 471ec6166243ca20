/** One leaver on one target by a bare script: shut, sessions ended, out of the groups, read back. No engine, no database. */
import { readFileSync } from 'node:fs'
import {
  DeleteGroupMembershipCommand,
  GetGroupMembershipIdCommand,
  ListGroupMembershipsForMemberCommand,
} from '@aws-sdk/client-identitystore'
import { Attribute, Change, Client } from 'ldapts'
import type { FourTargets } from '../house/four-targets.ts'
import type { Ground } from '../house/ground.ts'
import { accountDn, groupsOfDepartment, type Person } from '../house/people.ts'
import { VoidRun } from '../house/witness.ts'
import { changeMembers, groupsHolding, lockAccount, openDirectory } from './directory.ts'

export const targetNames = ['bank-ldap', 'bank-ad', 'bank-entra', 'bank-aws'] as const
export type TargetName = (typeof targetNames)[number]

export type EverywhereFloor = {
  /** What a leaver takes there, ms. `nativeId`: as Muster's link has it. */
  readonly leave: (target: TargetName, person: Person, nativeId: string) => Promise<number>
  readonly close: () => Promise<void>
}

export const openEverywhereFloor = async (ground: Ground, four: FourTargets): Promise<EverywhereFloor> => {
  const directory = await openDirectory(ground.bench)
  const { ad } = four.stack
  const domain = new Client({ url: ad.url, tlsOptions: { ca: [readFileSync(ad.caFile)] }, timeout: 60_000 })
  await domain.bind(ad.serviceName, ad.servicePassword)
  const loops: Readonly<Record<TargetName, (person: Person, nativeId: string) => Promise<boolean>>> = {
    'bank-ldap': (person) => leaveLdap(directory, ground, person),
    'bank-ad': (person) => leaveAd(domain, four, person),
    'bank-entra': (_, id) => leaveEntra(four, id),
    'bank-aws': (_, id) => leaveAws(four, id),
  }
  return {
    leave: async (target, person, nativeId) => {
      const begun = performance.now()
      const gone = await loops[target](person, nativeId)
      const ms = performance.now() - begun
      if (!gone) throw new VoidRun(`the direct loop left something behind on ${target}`)
      return ms
    },
    close: async () => {
      await directory.unbind()
      await domain.unbind()
    },
  }
}

const leaveLdap = async (client: Client, { people, groups }: Ground, person: Person): Promise<boolean> => {
  const dn = accountDn(people.base, person)
  await lockAccount(client, dn)
  for (const group of groupsOfDepartment(person.department))
    await changeMembers(client, 'delete', `cn=${group},${groups}`, [dn])
  return (await groupsHolding(client, groups, dn)).length === 0
}

/** MS-ADTS 2.2.16. */
const normalAccount = '512'
const disabledAccount = '514'

const modification = (operation: 'add' | 'delete', type: string, values: string[]) =>
  new Change({ operation, modification: new Attribute({ type, values }) })

const leaveAd = async (client: Client, { stack: { ad }, adGroup }: FourTargets, person: Person): Promise<boolean> => {
  const people = `OU=People,${ad.baseDn}`
  const found = await client.search(people, {
    filter: `(employeeID=${person.key})`,
    attributes: ['userAccountControl'],
  })
  const dn = found.searchEntries[0]?.dn ?? ''
  await client.modify(dn, [
    modification('delete', 'userAccountControl', [normalAccount]),
    modification('add', 'userAccountControl', [disabledAccount]),
  ])
  await client.modify(adGroup, modification('delete', 'member', [dn]))
  const { searchEntries } = await client.search(dn, { scope: 'base', attributes: ['userAccountControl', 'memberOf'] })
  const [entry] = searchEntries
  return String(entry?.userAccountControl) === disabledAccount && [entry?.memberOf ?? []].flat().length === 0
}

const leaveEntra = async ({ entra, entraGroup }: FourTargets, id: string): Promise<boolean> => {
  await entra.api(`/users/${id}`).patch({ accountEnabled: false })
  await entra.api(`/users/${id}/revokeSignInSessions`).post({})
  await entra.api(`/groups/${entraGroup}/members/${id}/$ref`).delete()
  const user: { readonly accountEnabled: boolean } = await entra.api(`/users/${id}?$select=accountEnabled`).get()
  const { value }: { readonly value: readonly unknown[] } = await entra.api(`/users/${id}/memberOf?$select=id`).get()
  return !user.accountEnabled && value.length === 0
}

const leaveAws = async ({ aws, awsGroup, stack }: FourTargets, UserId: string): Promise<boolean> => {
  const { identityStoreId: IdentityStoreId } = stack.aws
  const { MembershipId } = await aws.send(
    new GetGroupMembershipIdCommand({ IdentityStoreId, GroupId: awsGroup, MemberId: { UserId } }),
  )
  await aws.send(new DeleteGroupMembershipCommand({ IdentityStoreId, MembershipId }))
  const left = await aws.send(new ListGroupMembershipsForMemberCommand({ IdentityStoreId, MemberId: { UserId } }))
  return (left.GroupMemberships ?? []).length === 0
}
