/** An account that is renamed or moved between a change and its proof: what may stand is never said to be surely not applied. */
import { expect, test } from 'vitest'
import { changeAccess } from '../../../../src/connectors/ldap/access.ts'
import { ensureAccounts } from '../../../../src/connectors/ldap/ensure-accounts.ts'
import type { AccessOperation } from '../../../../src/connectors/ldap/items.ts'
import { ok, type Result } from '../../../../src/connectors/ldap-wire/errors.ts'
import { createPace } from '../../../../src/connectors/ldap-wire/pace.ts'
import type { EntitlementId } from '../../../../src/domain/ids.ts'
import {
  account,
  context,
  contexts,
  directory,
  entry,
  group,
  groupEntry,
  groups,
  id,
  people,
  refused,
  type Shown,
  settingsWith,
  shows,
} from './fake-directory.ts'

const membership = (op: 'grant' | 'revoke'): AccessOperation => ({
  op,
  account: id,
  entitlement: { id: 1 as EntitlementId, lookup: group.name, nativeId: group.nativeId },
})
const [grant, revoke] = [membership('grant'), membership('revoke')]
const disable: AccessOperation = { op: 'disable', account: id }
const done: Result<null> = ok(null)

const apply = async (operation: AccessOperation, shown: Shown, changes: readonly Result<null>[] = []) => {
  const { client, changed } = directory({ [groups]: shows(), ...shown }, changes)
  const [outcome] = await changeAccess(client, settingsWith(), createPace(), [operation], () => true)
  return { outcome, changed }
}

const withMember = (name: string) => entry(group.name, ...groupEntry.attributes, ['member', [`uid=${name},${people}`]])

/** It was there when the change went out, and by the time of the proof it is nowhere where Muster may look. */
const movedAway = (code: number): Shown => ({
  [people]: [shows(account('p', id)), shows()],
  '': contexts(context),
  [context]: refused(code),
})
const unverified = (word: string) => ({ kind: 'unknown', cause: { word: `unverified-${word}` } })
const outOfSight = { kind: 'refused', reason: 'configuration', cause: { word: 'account-out-of-sight' } }

test.each([
  ['the server may have carried the member along', grant, 50, [done, refused(16)], unverified('insufficient-access')],
  ['the same, where the directory is only busy', grant, 51, [done, refused(16)], unverified('busy')],
  ['who was in it before may have been carried along', grant, 50, [refused(20)], unverified('insufficient-access')],
  [
    'the member could not be taken out again',
    grant,
    50,
    [done, refused(51)],
    { kind: 'unknown', cause: { word: 'member-left-under-old-name' } },
  ],
  ['taken out again, it is surely not granted', grant, 50, [done, done], outOfSight],
  ['taken out of the group', revoke, 50, [done], unverified('insufficient-access')],
  ['locked', disable, 10, [done], unverified('referral')],
] as const)('moved out of sight after the change: %s', async (_, operation, code, changes, expected) => {
  const already = { [group.name]: shows(withMember('p')) }
  const { outcome, changed } = await apply(operation, { ...movedAway(code), ...already }, changes)
  expect(outcome).toMatchObject(expected)
  expect(changed).toHaveLength(changes.length)
})

test('gone for certain after the change, it is gone; nothing was changed of whoever was out of sight before', async () => {
  const gone = { ...movedAway(50), [context]: shows() }
  for (const [operation, changes] of [
    [grant, [done, done]],
    [grant, [done, refused(16)]],
    [disable, [done]],
  ] as const)
    expect((await apply(operation, gone, changes)).outcome).toMatchObject({ reason: 'account-missing' })
  for (const operation of [grant, revoke, disable])
    expect(await apply(operation, { ...movedAway(50), [people]: shows() })).toMatchObject({
      outcome: outOfSight,
      changed: [],
    })
})

test('renamed again and again, and the server carries the member along: it may stand', async () => {
  const names = ['a', 'b', 'c'].map((name) => shows(account(name, id)))
  const carried = await apply(grant, { [people]: names }, [done, refused(16), done, refused(16)])
  expect(carried.outcome).toMatchObject(unverified('renamed-meanwhile'))
  const takenOut = await apply(grant, { [people]: names }, [done, done, done, done])
  expect(takenOut.outcome).toMatchObject({ kind: 'retry', cause: { word: 'renamed-meanwhile' } })
})

test('renamed once, it is granted under its new name', async () => {
  const shown = {
    [people]: [shows(account('a', id)), shows(account('b', id))],
    [groups]: shows(groupEntry),
    [group.name]: shows(withMember('b')),
  }
  const { outcome, changed } = await apply(grant, shown, [done, refused(16), refused(20)])
  expect(outcome).toMatchObject({ kind: 'done', changed: true })
  expect(changed).toEqual([`add ${group.name}`, `delete ${group.name}`, `add ${group.name}`])
})

test.each([
  ['carried along with the name', [done, refused(16), refused(51)], unverified('busy')],
  ['carried along, and it is not known what became of it', [done, refused(16), refused(80)], { kind: 'unknown' }],
  ['taken out under the old name', [done, done, refused(51)], { kind: 'throttled' }],
] as const)('renamed once, and under the new name nothing can be changed: %s', async (_, changes, expected) => {
  const shown = { [people]: [shows(account('a', id)), shows(account('b', id))] }
  expect((await apply(grant, shown, changes)).outcome).toMatchObject(expected)
})

test('what proves a lock is the account as it was read afterwards', async () => {
  const locked = shows(account('p', id, ['pwdaccountlockedtime', ['000001010000Z']]))
  const open = shows(account('p', id))
  expect((await apply(disable, { [people]: [open, locked] })).outcome).toMatchObject({
    kind: 'done',
    changed: true,
    account: { enabled: false, wasEnabled: true },
  })
  expect((await apply(disable, { [people]: [open, open] })).outcome).toMatchObject({
    kind: 'retry',
    cause: { word: 'not-so' },
  })
})

test.each([
  ['renamed', ['a', 'b'], shows(), 'renamed-meanwhile'],
  ['its groups cannot be read', ['a', 'a'], refused(52), 'unavailable'],
] as const)(
  'an account that was found and written, and then %s: that is not "surely not applied"',
  async (_, names, held, word) => {
    const settings = settingsWith({ account: { rdn: 'uid={username}', attributes: { sn: '{familyName}' } } })
    const called = (name: string) => shows(account(name, id, ['employeenumber', ['k']], ['sn', ['One']]))
    const ensured = async (familyName: string) => {
      const { client } = directory({ [people]: names.map(called), [groups]: held })
      const wanted = { correlation: { value: 'k' }, worker: { familyName }, attributesHash: '' }
      const operation = { op: 'ensureAccount', wanted, create: false, account: null } as const
      return ensureAccounts(client, settings, [operation], () => true, {})
    }
    expect(await ensured('Two')).toMatchObject([{ kind: 'unknown', cause: { word } }])
    expect(await ensured('One')).toMatchObject([{ kind: 'retry', cause: { word } }])
  },
)
