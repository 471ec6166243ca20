/** Where an account's native id is a name of the person's, no byte of the audit says it; elsewhere it does. */
import { afterEach, expect, test } from 'vitest'
import type { Manifest } from '../../../src/connectors/connector.ts'
import type { TargetId } from '../../../src/domain/ids.ts'
import { checkLeavers } from '../../../src/engine/check-leavers.ts'
import { linkAccount, unlinkAccount } from '../../../src/engine/link.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { type House, openHouse } from '../../support/house.ts'
import { reporting, resolved, setLocked } from './behind-our-back.ts'
import { auditOf } from './laws.ts'
import { nestedGroups } from './nested-groups.ts'
import { leaves, works } from './people.ts'

let house: House
afterEach(() => house.close())

const target = 'bank-ldap' as TargetId
const actor = { type: 'os-user', name: 'somebody', authenticated: false } as const

/** Something of every kind that names an account. */
const live = async (accountIds: Manifest['accountIds']) => {
  const groups = nestedGroups()
  house = await openHouse({
    connector: (real) => {
      const nested = groups.wrap(real)
      return { ...nested, manifest: { ...nested.manifest, accountIds } }
    },
    revised: reporting,
  })
  await house.addGroups([`cn=Admins,${house.tree.groups}`])
  const start = await house.now()
  await groups.nest(house, 'Admins', 'CBS_LoanApprove')
  await house.addAccount('P-3')
  await house.addMember('P-3', 'Admins')
  for (const person of ['P-1', 'P-2', 'P-3']) await house.tell(works(person, start - 1000))
  await house.quiesce()
  await resolved(house)
  await house.tell(leaves('P-1', start))
  await house.quiesce()
  await setLocked(house, 'P-1', false)
  await house.addMember('P-1', 'CBS_LoanApprove')
  await house.shift(300_000)
  await checkLeavers(house.engine, new AbortController().signal)
  await house.quiesce()
  await setLocked(house, 'P-2', true)
  await house.addMember('P-2', 'CBS_LoanApprove')
  const signal = new AbortController().signal
  await reconcile(house.engine, target, { actor: { type: 'engine', name: 'test' }, signal, full: true })
  await house.quiesce()
  const act = { person: 'P-2', target, reason: 'looked', actor, signal }
  const account = String(await house.idOf('P-2'))
  expect(await unlinkAccount(house.engine, act)).toMatchObject({ kind: 'unlinked', account })
  expect(await linkAccount(house.engine, { ...act, account })).toMatchObject({ kind: 'linked' })
}
const kindsThatName = async (pick: 'native_id' | 'id') => {
  const ids = (await house.rows<{ id: string }>(`select ${pick}::text as id from muster.account`)).map(({ id }) => id)
  const named = (body: Readonly<Record<string, unknown>>): unknown =>
    body.account ?? (body.evidence as { account?: unknown } | undefined)?.account
  return [
    ...new Set((await auditOf(house)).flatMap(({ kind, body }) => (ids.includes(String(named(body))) ? [kind] : []))),
  ].sort()
}
const kinds = ['account-linked', 'account-unlinked', 'drift', 'indirect-access', 'leave-checked', 'outcome']

test('names: entries say the number of the account, by which an auditor finds the name while it is kept', async () => {
  await live('names')
  const bytes = (await auditOf(house)).map(({ body }) => JSON.stringify(body))
  const names = await house.rows<{ native_id: string }>('select native_id from muster.account')
  expect(names.length).toBeGreaterThan(2)
  expect(bytes.filter((text) => names.some(({ native_id }) => text.includes(native_id)))).toEqual([])
  expect(await kindsThatName('id')).toEqual(kinds)
  expect(
    await house.rows(
      `select from auditor.entries e join auditor.accounts a on a.account_id = (e.body #>> '{evidence,account}')::bigint
      where e.kind = 'outcome' and a.subject_ref is distinct from e.subject_ref`,
    ),
  ).toEqual([])
})

test('opaque: entries say the native id', async () => {
  await live('opaque')
  expect(await kindsThatName('native_id')).toEqual(kinds)
})
