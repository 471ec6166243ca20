/** Is the naive engine's own way to the directory a fair one? Its loop against nothing but ldapts, interleaved. */
import type { Ground } from '../house/ground.ts'
import { accountDn, type Person } from '../house/people.ts'
import { median } from '../measure/spread.ts'
import { connect, memberChange, openNaiveDirectory } from './directory.ts'
import { naiveLdapOf, naivePools } from './process.ts'

/** Memberships a second of both, medians; `ratio`: naive over bare, median of the rounds. */
export type LoopCheck = { readonly naive: number; readonly bare: number; readonly ratio: number }

/** Adds and removes these people in one group after the other, both sides in turn. Leaves the groups as they were. */
export const checkNaiveLoop = async (
  ground: Ground,
  people: readonly Person[],
  groups: readonly string[],
  rounds = 5,
): Promise<LoopCheck> => {
  const ldap = naiveLdapOf(ground)
  const directory = await openNaiveDirectory(ldap, naivePools.ldapConnections)
  const clients = await Promise.all(Array.from({ length: naivePools.ldapConnections }, () => connect(ldap)))
  const dns = people.map((person) => accountDn(ground.people.base, person))
  const changes = groups.flatMap((group) => dns.map((dn) => ({ group: `cn=${group},${ground.groups}`, dn })))
  const both = ['add', 'delete'] as const
  const naive = async () => {
    for (const operation of both) {
      const todo = changes.values()
      const job = async () => {
        for (const { group, dn } of todo) await directory.change(operation, group, dn)
      }
      await Promise.all(Array.from({ length: naivePools.jobsAtOnce }, job))
    }
  }
  const bare = async () => {
    for (const operation of both) {
      const todo = changes.values()
      await Promise.all(
        clients.map(async (client) => {
          for (const { group, dn } of todo) await client.modify(group, memberChange(operation, dn))
        }),
      )
    }
  }
  const spent = { naive: [] as number[], bare: [] as number[] }
  try {
    for (let round = 0; round <= rounds; round++)
      for (const [side, work] of [
        ['naive', naive],
        ['bare', bare],
      ] as const) {
        const begun = performance.now()
        await work()
        if (round > 0) spent[side].push(performance.now() - begun) // the first round warms both up
      }
  } finally {
    await directory.close()
    await Promise.all(clients.map((client) => client.unbind()))
  }
  const rate = (times: readonly number[]) => (changes.length * both.length * 1_000) / median(times)
  return {
    naive: rate(spent.naive),
    bare: rate(spent.bare),
    ratio: median(spent.bare.map((bareMs, round) => bareMs / (spent.naive[round] ?? Number.NaN))),
  }
}
