/** One modify per membership over a few connections, each with one request at a time. */
import { readFileSync } from 'node:fs'
import { Attribute, Change, Client } from 'ldapts'

export type NaiveLdap = {
  readonly url: string
  readonly caFile: string
  readonly bindDn: string
  readonly password: string
}

export type NaiveDirectory = {
  readonly change: (operation: 'add' | 'delete', group: string, dn: string) => Promise<void>
  readonly lock: (dn: string) => Promise<void>
  readonly close: () => Promise<void>
}

export const connect = async ({ url, caFile, bindDn, password }: NaiveLdap): Promise<Client> => {
  const client = new Client({ url, tlsOptions: { ca: [readFileSync(caFile)] }, timeout: 60_000 })
  await client.bind(bindDn, password)
  return client
}

export const memberChange = (operation: 'add' | 'delete', dn: string): Change =>
  new Change({ operation, modification: new Attribute({ type: 'member', values: [dn] }) })

export const openNaiveDirectory = async (ldap: NaiveLdap, connections: number): Promise<NaiveDirectory> => {
  const clients = await Promise.all(Array.from({ length: connections }, () => connect(ldap)))
  const idle = [...clients]
  const waiting: ((client: Client) => void)[] = []
  const withClient = async (work: (client: Client) => Promise<void>) => {
    const client = idle.pop() ?? (await new Promise<Client>((resolve) => waiting.push(resolve)))
    try {
      await work(client)
    } finally {
      const next = waiting.shift()
      if (next === undefined) idle.push(client)
      else next(client)
    }
  }
  return {
    change: (operation, group, dn) => withClient((client) => client.modify(group, memberChange(operation, dn))),
    lock: (dn) =>
      withClient((client) =>
        client.modify(
          dn,
          new Change({
            operation: 'replace',
            modification: new Attribute({ type: 'pwdAccountLockedTime', values: ['000001010000Z'] }),
          }),
        ),
      ),
    close: async () => {
      await Promise.all(clients.map((client) => client.unbind()))
    },
  }
}
