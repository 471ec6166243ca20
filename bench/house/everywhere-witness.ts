/** Who is where after the leavers have left, read from each target by its own client. */
import { ListGroupMembershipsCommand } from '@aws-sdk/client-identitystore'
import { Client } from 'ldapts'
import type { FourTargets } from './four-targets.ts'
import type { Ground } from './ground.ts'
import type { Person } from './people.ts'
import { VoidRun } from './witness.ts'

/** Native ids by target and person key, from Muster's links. */
export type Links = ReadonlyMap<string, ReadonlyMap<string, string>>

export const linksOf = async ({ admin }: Ground): Promise<Links> => {
  const { rows } = await admin.query<{ target: string; key: string; id: string }>(
    `select a.target, i.person_key as key, a.native_id as id from muster.account a join muster.identity i on i.id = a.identity_id`,
  )
  const links = new Map<string, Map<string, string>>()
  for (const { target, key, id } of rows) links.set(target, (links.get(target) ?? new Map()).set(key, id))
  return links
}

/** ms from the append to the last outcome on each target, of each of these people. */
export const latenciesByTarget = async (
  { admin }: Ground,
  people: readonly Person[],
): Promise<ReadonlyMap<string, readonly number[]>> => {
  const { rows } = await admin.query<{ target: string; ms: number }>(
    `select a.target, (extract(epoch from max(pg_xact_commit_timestamp(e.xmin)) - max(b.appended_at)) * 1000)::float8 as ms
      from muster.identity i
      join muster.inbox b on b.identity_id = i.id and b.ends_access
      join muster.action a on a.identity_id = i.id and a.lane = 'leaver'
      join audit.entry e on e.action_id = a.id and e.kind = 'outcome'
      where i.person_key = any($1) group by i.id, a.target`,
    [people.map(keyOf)],
  )
  return new Map([...Map.groupBy(rows, ({ target }) => target)].map(([target, of]) => [target, of.map(({ ms }) => ms)]))
}

/** Throws VoidRun unless exactly these are in the groups on AD, Entra and AWS, and those who left are shut where that can be. */
export const compareEverywhere = async (
  four: FourTargets,
  links: Links,
  staying: readonly Person[],
  left: readonly Person[],
): Promise<void> => {
  const { stack } = four
  const root = new Client({ url: stack.ad.plainUrl, timeout: 60_000 })
  await root.bind(stack.ad.rootName, stack.ad.rootPassword)
  try {
    const keysBy = async (filter: string) =>
      (
        await root.search(`OU=People,${stack.ad.baseDn}`, { filter, attributes: ['employeeID'], paged: true })
      ).searchEntries.map(({ employeeID }) => String(employeeID))
    same('bank-ad', staying.map(keyOf), await keysBy(`(memberOf=${four.adGroup})`))
    same('shut in bank-ad', left.map(keyOf), await keysBy('(userAccountControl:1.2.840.113556.1.4.803:=2)'))
  } finally {
    await root.unbind()
  }
  const idsOf = (target: string, people: readonly Person[]) =>
    people.map(({ key }) => links.get(target)?.get(key) ?? `${key} is not linked`)
  same(
    'bank-entra',
    idsOf('bank-entra', staying),
    await listed(four, `/groups/${four.entraGroup}/members?$select=id&$top=999`),
  )
  same(
    'shut in bank-entra',
    idsOf('bank-entra', left),
    await listed(four, '/users?$filter=accountEnabled eq false&$select=id&$top=999'),
  )
  const inAws: string[] = []
  for (let NextToken: string | undefined, more = true; more; more = NextToken !== undefined) {
    const page = await four.aws.send(
      new ListGroupMembershipsCommand({
        IdentityStoreId: stack.aws.identityStoreId,
        GroupId: four.awsGroup,
        NextToken,
      }),
    )
    inAws.push(...(page.GroupMemberships ?? []).map(({ MemberId }) => MemberId?.UserId ?? ''))
    NextToken = page.NextToken
  }
  same('bank-aws', idsOf('bank-aws', staying), inAws)
}

const keyOf = ({ key }: Person): string => key

const listed = async ({ entra }: FourTargets, first: string): Promise<readonly string[]> => {
  const ids: string[] = []
  for (let at: string | undefined = first; at !== undefined; ) {
    const page: { readonly value: readonly { readonly id: string }[]; readonly '@odata.nextLink'?: string } =
      await entra.api(at).get()
    ids.push(...page.value.map(({ id }) => id))
    at = page['@odata.nextLink']
  }
  return ids
}

const same = (what: string, wanted: readonly string[], there: readonly string[]): void => {
  const is = new Set(there)
  const missing = wanted.filter((one) => !is.has(one))
  if (missing.length > 0 || is.size !== wanted.length)
    throw new VoidRun(`${what}: ${wanted.length} expected, ${is.size} there, ${missing.length} of them missing`)
}
