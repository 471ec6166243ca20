/** What is done to an account beyond its groups: protection, deletion, and a leaver who moves and may come back. */
import { describe, expect, test } from 'vitest'
import { protecting } from '../../src/connectors/protecting.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import type { Outcome } from '../../src/domain/outcome.ts'
import type { Claim, ClaimedAction } from '../../src/engine/claim.ts'
import { outcomeEntry } from '../../src/engine/outcome-entry.ts'
import { freshName } from '../support/stack.ts'
import { adScene } from './ad-scene.ts'
import { change, target } from './ad-world.ts'
import { always, ensure, grant, grantsOf, revoke, said } from './world.ts'

const scene = adScene()
const { person, apply, wellKnown, saying, addAccount, addAccounts, controlOf, modify, known, using } = scene

describe('protected', () => {
  test('what AD calls critical is never written: not its accounts, not its groups', async () => {
    const account = await addAccount()
    const [admins, administrator] = [await known('Domain Admins'), await scene.world.idAt(wellKnown('Administrator'))]
    await scene.world.asRoot.modify(admins.lookup, change('add', 'member', [`<GUID=${account}>`]))
    const outcomes = await apply([
      { op: 'disable', account: administrator },
      { op: 'deleteAccount', account: administrator },
      grant(account, admins),
      revoke(account, admins),
    ])
    expect(outcomes).toMatchObject(
      outcomes.map(() => ({ kind: 'refused', reason: 'protected', cause: { word: 'critical-system-object' } })),
    )
    await scene.world.asRoot.modify(admins.lookup, change('delete', 'member', [`<GUID=${account}>`]))
  })

  test('what AD made for itself is listed as such, and nobody else', async () => {
    const account = await addAccount()
    const own = await Promise.all(['Administrator', 'Guest', 'krbtgt'].map((name) => scene.world.idAt(wellKnown(name))))
    const listed = await scene.connector.listAccounts(always.signal)
    const builtIn = new Map(listed.items.map((item) => [item.nativeId, item.builtIn]))
    expect(own.map((id) => builtIn.get(id))).toEqual([true, true, true])
    expect([builtIn.has(account), builtIn.get(account)]).toEqual([true, undefined])
  })

  test('a group that muster.yaml protects by its DN is not granted where the catalogue names it by its GUID', async () => {
    const [account, group] = [await addAccount(), await scene.world.addGroup(freshName())]
    const dn = String((await scene.world.entryOf(group.nativeId))?.dn)
    const guarded = protecting(scene.connector, { accounts: [], entitlements: [dn] })
    const named = { ...group, lookup: `<GUID=${group.nativeId}>` }
    expect((await guarded.apply([grant(account, named), revoke(account, named)], always)).map(said)).toEqual([
      'refused:protected',
      'refused:protected',
    ])
  })

  test('adminCount: shut and taken out like everybody; anything else only where the configuration says so', async () => {
    const somebody = person()
    const [account] = (await scene.world.addAccounts([somebody])) as [NativeId]
    const [group, other] = [await scene.world.addGroup(freshName(), [account]), await scene.world.addGroup(freshName())]
    await modify(account, 'replace', 'adminCount', ['1'])
    const after = { key: somebody.key, worker: { ...somebody.worker, familyName: 'After' } }
    const refused = 'refused:protected'
    expect(await saying([ensure(after, true, account), grant(account, other), grant(account, group)])).toEqual([
      refused,
      refused,
      'was-so',
    ])
    expect(await saying([{ op: 'disable', account }, revoke(account, group)])).toEqual(['changed', 'changed'])
    expect(await controlOf(account)).toBe(514)
    expect(
      await saying([
        { op: 'enable', account },
        { op: 'deleteAccount', account },
      ]),
    ).toEqual([refused, refused])
    await using({ writeAdminAccounts: true }, async (allowed) => {
      const operations = [{ op: 'enable', account } as const, ensure(after, true, account), grant(account, other)]
      expect((await allowed.apply(operations, always)).map(said)).toEqual(operations.map(() => 'changed'))
    })
  })

  test('deleted: only when disabled, with what hangs below it', async () => {
    const account = await addAccount()
    await scene.world.asRoot.add(`CN=below,${(await scene.world.entryOf(account))?.dn}`, { objectClass: 'classStore' })
    expect(await apply([{ op: 'deleteAccount', account }])).toMatchObject([
      { kind: 'refused', reason: 'protected', cause: { word: 'account-enabled' } },
    ])
    expect(await saying([{ op: 'disable', account }])).toEqual(['changed'])
    expect(await saying([{ op: 'deleteAccount', account }])).toEqual(['changed'])
    expect(await scene.world.entryOf(account)).toBeUndefined()
    expect((await scene.connector.observe([{ op: 'deleteAccount', account }], always)).map(said)).toEqual(['was-so'])
    expect(await saying([{ op: 'endSessions', account }])).toEqual(['refused:not-allowed'])
  })
})

describe('a deletion', () => {
  test('the next in a batch was opened while the one before was deleted: read again, it is left', async () => {
    const [first, second] = (await addAccounts(2)) as [NativeId, NativeId]
    const both = [first, second]
    await saying(both.map((account) => ({ op: 'disable', account })))
    scene.world.faults.atNextWrite('before-commit', () => modify(second, 'replace', 'userAccountControl', ['512']))
    // One at a time: the second is found before the first is deleted.
    await using({ createConnections: 1 }, async (connector) => {
      const outcomes = await connector.apply(
        both.map((account) => ({ op: 'deleteAccount', account })),
        always,
      )
      expect(outcomes).toMatchObject([
        { kind: 'done', changed: true },
        { kind: 'refused', reason: 'protected', cause: { word: 'account-enabled' } },
      ])
    })
    expect(await scene.world.entryOf(first)).toBeUndefined()
    expect(await controlOf(second)).toBe(512)
  })
})

describe('a leaver', () => {
  const leaver = () => ({ moveTo: scene.world.leavers, resetPassword: true, clearManager: true })

  test('is disabled, moved, without manager, with a password that nobody knows; and comes back', async () => {
    const [account, manager] = (await addAccounts(2)) as [NativeId, NativeId]
    const group = await scene.world.addGroup(freshName(), [account])
    await modify(account, 'replace', 'manager', [(await scene.world.entryOf(manager))?.dn ?? ''])
    expect(await scene.world.canSignIn(account)).toBe(true)
    await using({ leaver: leaver() }, async (other) => {
      const [outcome] = await other.apply([{ op: 'disable', account }], always)
      expect(outcome).toMatchObject({ kind: 'done', changed: true, account: { enabled: false } })
      expect(outcome).not.toHaveProperty('unfinished')
      expect(grantsOf(outcome)).toEqual([group.nativeId])
      const entry = await scene.world.entryOf(account)
      expect(entry?.dn).toContain(scene.world.leavers)
      expect(entry).toMatchObject({ userAccountControl: '514', pwdLastSet: '0' })
      expect(entry).not.toHaveProperty('manager')
      expect((await other.apply([{ op: 'disable', account }], always)).map(said)).toEqual(['was-so'])

      expect((await other.apply([{ op: 'enable', account }], always)).map(said)).toEqual(['changed'])
      const back = await scene.world.entryOf(account)
      expect(back?.dn).toContain(scene.world.people)
      expect(back?.userAccountControl).toBe('512')
      expect(await scene.world.canSignIn(account)).toBe(false)
    })
  })

  test('whom another hand had shut already is moved; the audit does not say that they could sign in until then', async () => {
    const account = await addAccount()
    await modify(account, 'replace', 'userAccountControl', ['514'])
    await using({ leaver: leaver() }, async (other) => {
      const [outcome] = await other.apply([{ op: 'disable', account }], always)
      expect(outcome).toMatchObject({ kind: 'done', account: { enabled: false } })
      const action = { id: 7, kind: 'disable', subject_ref: 's', decision_id: 1, entitlement_id: null, attempts: 0 }
      const { text } = outcomeEntry(
        0,
        { dispatch: 3, target } as Claim,
        {
          action: action as unknown as ClaimedAction,
          outcome: outcome as Outcome,
          next: { kind: 'done' },
          sent: true,
        },
        null,
        { by: 'native-id', account: null },
      )
      expect(JSON.parse(text).before?.enabled).not.toBe(true)
    })
  })

  test('renamed while being shut: moved under the name that it has now, not renamed back', async () => {
    const account = await addAccount()
    const name = freshName()
    scene.world.faults.atNextWrite('before-commit', async () => {
      const dn = (await scene.world.entryOf(account))?.dn ?? ''
      await scene.world.asRoot.modifyDN(dn, `CN=${name},${dn.slice(dn.indexOf(',') + 1)}`)
    })
    await using({ leaver: { moveTo: scene.world.leavers } }, async (connector) => {
      expect((await connector.apply([{ op: 'disable', account }], always)).map(said)).toEqual(['changed'])
    })
    expect((await scene.world.entryOf(account))?.dn).toBe(`CN=${name},${scene.world.leavers}`)
  })

  test('whoever is only away is shut and nothing more', async () => {
    const account = await addAccount()
    const before = String((await scene.world.entryOf(account))?.dn)
    await using({ leaver: leaver() }, async (connector) => {
      const [outcome] = await connector.apply([{ op: 'disable', account, away: true }], always)
      expect(said(outcome)).toBe('changed')
      expect(outcome).not.toHaveProperty('unfinished')
    })
    expect(String((await scene.world.entryOf(account))?.dn)).toBe(before)
    expect(await scene.world.canSignIn(account)).toBe(false)
  })

  test('one step that fails is told and stops no other; repeated, it is tried again', async () => {
    const account = await addAccount()
    const nowhere = `OU=${freshName()},${scene.world.leavers}`
    await using({ leaver: { ...leaver(), moveTo: nowhere } }, async (other) => {
      const [outcome] = await other.apply([{ op: 'disable', account }], always)
      expect(outcome).toMatchObject({
        kind: 'done',
        account: { enabled: false },
        unfinished: [{ word: expect.stringMatching(/^move-/) }],
      })
      expect(await scene.world.entryOf(account)).toMatchObject({ userAccountControl: '514', pwdLastSet: '0' })
      await scene.world.asRoot.add(nowhere, { objectClass: 'organizationalUnit' })
      const again = await other.apply([{ op: 'disable', account }], always)
      expect(again).toMatchObject([{ kind: 'done', changed: true }])
      expect(again[0]).not.toHaveProperty('unfinished')
      expect((await scene.world.entryOf(account))?.dn).toContain(nowhere)
    })
  })

  test('the lease ends after the account was disabled: it stays so, and the rest is told as unfinished', async () => {
    const account = await addAccount()
    let left = 1
    await using({ leaver: leaver() }, async (other) => {
      const [outcome] = await other.apply([{ op: 'disable', account }], {
        signal: always.signal,
        mayWrite: () => left-- > 0,
      })
      expect(outcome).toMatchObject({
        kind: 'done',
        changed: true,
        unfinished: [{ word: 'reset-password-lease' }, { word: 'move-lease' }],
      })
      const [again] = await other.apply([{ op: 'disable', account }], always)
      expect(again).toMatchObject({ kind: 'done', changed: true })
      expect(again).not.toHaveProperty('unfinished')
      expect(await scene.world.entryOf(account)).toMatchObject({ pwdLastSet: '0' })
    })
  })

  test('somebody has the name in the OU to come back to: not enabled', async () => {
    const somebody = person()
    const [account] = (await scene.world.addAccounts([somebody])) as [NativeId]
    await using({ leaver: leaver() }, async (other) => {
      await other.apply([{ op: 'disable', account }], always)
      await scene.world.asRoot.add(`CN=${somebody.worker.displayName},${scene.world.people}`, {
        objectClass: 'contact',
      })
      expect((await other.apply([{ op: 'enable', account }], always)).map(said)).toEqual(['refused:name-taken'])
      expect(await controlOf(account)).toBe(514)
    })
  })
})
