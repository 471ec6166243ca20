/** Changes of the directory behind Muster's back, and what the bank's policies say of them. */
import { expect } from 'vitest'
import type { Connector } from '../../../src/connectors/connector.ts'
import { createLdapConnector } from '../../../src/connectors/ldap/connector.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import type { Reconciler, Reconciliation } from '../../../src/engine/reconciler.ts'
import { type House, ldapSettings, target } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { works } from './people.ts'

/** Every entitlement of the bank is only reported, or made right again, when somebody changes it. */
export const reporting = (text: string) => text.replaceAll(/^ {4}drift: .*\n/gm, '')
export const reverting = (text: string) => reporting(text).replaceAll(/^( {4})(risk: )/gm, '$1drift: revert\n$1$2')

/** Open findings, urgent ones with a `!`. */
export const findingsOf = async (house: House): Promise<readonly string[]> =>
  (
    await house.rows<{ kind: string; urgent: boolean }>(
      'select kind, urgent from muster.finding where closed_at is null order by kind',
    )
  ).map(({ kind, urgent }) => `${kind}${urgent ? '!' : ''}`)

export const setLocked = (house: House, person: string, to: boolean): Promise<void> =>
  asDirectoryRoot(house.ldap, async (client) => {
    const { Attribute, Change } = await import('ldapts')
    const modification = new Attribute({ type: 'pwdAccountLockedTime', values: to ? ['000001010000Z'] : [] })
    await client.modify((await house.account(person))?.dn ?? '', new Change({ operation: 'replace', modification }))
  })

/** As an administrator does it, or a server with referential integrity: the groups follow the name. Answers the new one. */
export const putAway = async (house: House, person: string): Promise<string> => {
  const from = (await house.account(person))?.dn ?? ''
  await asDirectoryRoot(house.ldap, (client) =>
    client.add(`ou=former,${house.tree.dn}`, { objectClass: 'organizationalUnit' }),
  )
  return putTo(house, from, `ou=former,${house.tree.dn}`)
}

export const putTo = async (house: House, from: string, parent: string): Promise<string> => {
  const { Attribute, Change } = await import('ldapts')
  const to = `${from.split(',')[0]},${parent}`
  await asDirectoryRoot(house.ldap, async (client) => {
    const { searchEntries } = await client.search(house.tree.groups, {
      scope: 'one',
      filter: `(member=${from})`,
      attributes: ['1.1'],
    })
    await client.modifyDN(from, to)
    for (const { dn: group } of searchEntries)
      for (const [operation, dn] of [
        ['add', to],
        ['delete', from],
      ] as const)
        await client.modify(
          group,
          new Change({ operation, modification: new Attribute({ type: 'member', values: [dn] }) }),
        )
  })
  return to
}

/**
 * Muster may not look beyond `peopleBase`, unless it sees: no database of the server is at the base of that search, and it answers 32.
 * `besides`: what else it is told otherwise.
 */
export const blindBeyond =
  (
    houseOf: () => House,
    sees: () => boolean = () => false,
    besides: (blind: Connector, real: Connector) => Partial<Connector> = () => ({}),
  ) =>
  (real: Connector): Connector => {
    let made: Connector | undefined
    const blind = () =>
      sees()
        ? real
        : (made ??= createLdapConnector(target, { ...ldapSettings(houseOf().tree), searchBase: 'dc=example' }))
    const connector: Connector = {
      ...real,
      apply: (operations, context) => blind().apply(operations, context),
      observe: (operations, observing) => blind().observe(operations, observing),
      accounts: (ids, signal) => blind().accounts(ids, signal),
      grantsOf: (ids, signal) => blind().grantsOf(ids, signal),
      whoIs: (members, signal) => blind().whoIs(members, signal),
      changes: async (cursor, signal) =>
        (await blind().changes?.(cursor, signal)) ?? { kind: 'failed', cause: 'no change log' },
      close: async () => {
        await real.close()
        await made?.close()
      },
    }
    return { ...connector, ...besides(connector, real) }
  }

/** The groups came after the policy: what each entitlement is, is asked once more. */
export const resolved = async (house: House): Promise<void> => {
  await house.shift(61_000)
  await house.sweep()
}

/** They work, and the first lists of all entitlements agree with what was given. */
export const settledIn = async (house: House, people: readonly string[]): Promise<void> => {
  for (const person of people) await house.tell(works(person, (await house.now()) - 1000))
  await house.quiesce()
  await resolved(house)
  expect(await reconciled(house)).toMatchObject({ appeared: 0, missing: 0, unread: [], shrunken: [] })
}

export const reconciled = (
  house: House,
  more: { readonly acceptShrunken?: boolean; readonly full?: boolean } = {},
  engine: Reconciler = house.engine,
): Promise<Reconciliation> =>
  reconcile(engine, target, {
    actor: { type: 'engine', name: 'test' },
    signal: new AbortController().signal,
    ...more,
  })
