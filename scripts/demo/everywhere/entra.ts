/** The bank's Entra tenant, through Microsoft's own client: an administrator's hand, and the eyes of the demo. */
import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { ClientSecretCredential } from '@azure/identity'
import { Client } from '@microsoft/microsoft-graph-client'
import { TokenCredentialAuthenticationProvider } from '@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js'
import type { Graph } from '../../stack/part.ts'
import { NotSo } from '../eventually.ts'
import type { Witness } from './witness.ts'

type Listed<T> = { readonly value: readonly T[]; readonly '@odata.nextLink'?: string }
type User = { readonly id: string; readonly accountEnabled: boolean }
type Named = { readonly id: string; readonly displayName: string }

export type Entra = Witness & {
  /** How many are in the group. */
  readonly size: (group: string) => Promise<number>
  readonly members: (group: string) => Promise<readonly string[]>
  /** By hand: people's accounts, by their own ids, in and out of a group. */
  readonly add: (group: string, ids: readonly string[]) => Promise<void>
  readonly remove: (group: string, ids: readonly string[]) => Promise<void>
  readonly idOf: (person: string) => Promise<string>
}

/** Graph takes so many references in one PATCH of a group. */
const references = 20

export const openEntra = async (graph: Graph, groups: readonly string[]): Promise<Entra> => {
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(graph.caFile, 'utf8')])
  const credential = new ClientSecretCredential(
    graph.tenantId,
    graph.clientId,
    readFileSync(graph.clientSecretFile, 'utf8').trim(),
    { authorityHost: graph.authority, disableInstanceDiscovery: true },
  )
  const client = Client.initWithMiddleware({
    baseUrl: graph.url,
    customHosts: new Set([new URL(graph.url).hostname]),
    authProvider: new TokenCredentialAuthenticationProvider(credential, {
      scopes: ['https://graph.microsoft.com/.default'],
    }),
  })
  const ids = new Map<string, string>()
  for (const displayName of groups) {
    const made: Named = await client
      .api('/groups')
      .post({ displayName, mailNickname: displayName, mailEnabled: false, securityEnabled: true })
    ids.set(displayName, made.id)
  }
  const every = async <T>(first: string): Promise<readonly T[]> => {
    const all: T[] = []
    for (let at: string | undefined = first; at !== undefined; ) {
      const page: Listed<T> = await client.api(at).get()
      all.push(...page.value)
      at = page['@odata.nextLink']
    }
    return all
  }
  const userOf = async (person: string): Promise<User | undefined> =>
    (await every<User>(`/users?$filter=employeeId eq '${person}'&$select=id,accountEnabled`))[0]
  const members = async (group: string) =>
    (await every<Named>(`/groups/${ids.get(group)}/members?$select=id&$top=999`)).map(({ id }) => id)
  return {
    target: 'bank-entra',
    label: 'Entra ID',
    by: "Microsoft's Graph client",
    holds: async (person) => {
      const user = await userOf(person)
      if (user === undefined) return []
      return (await every<Named>(`/users/${user.id}/memberOf?$select=id,displayName`))
        .map(({ displayName }) => displayName)
        .sort()
    },
    account: async (person) => {
      const user = await userOf(person)
      if (user === undefined) return 'none'
      return user.accountEnabled ? 'open' : 'shut'
    },
    members,
    size: async (group) => (await members(group)).length,
    idOf: async (person) => {
      const user = await userOf(person)
      if (user === undefined) throw new NotSo(`Entra has no user of ${person}`)
      return user.id
    },
    add: async (group, some) => {
      for (let at = 0; at < some.length; at += references)
        await client.api(`/groups/${ids.get(group)}`).patch({
          'members@odata.bind': some.slice(at, at + references).map((id) => `${graph.url}/v1.0/directoryObjects/${id}`),
        })
    },
    remove: async (group, some) => {
      for (const id of some) await client.api(`/groups/${ids.get(group)}/members/${id}/$ref`).delete()
    },
  }
}
