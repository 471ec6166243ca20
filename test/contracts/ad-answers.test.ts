/**
 * What Windows says and Samba does not: a shim gives its answers (MS-ADTS, MS-ERREF; the wording as administrators quote it)
 * in the place of the server. They rest on documents, not on a Windows server.
 */
import { expect, test } from 'vitest'
import type { Connector } from '../../src/connectors/connector.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import { type Responder, requestShim } from '../support/ldap-requests.ts'
import { freshName } from '../support/stack.ts'
import { adScene, listOf } from './ad-scene.ts'
import { accountOf, always, ensure, grant, revoke, said, sorted, untilDone } from './world.ts'

const scene = adScene()
const { addAccount, addAccounts, controlOf, person, using } = scene

const answering = async <T>(
  respond: Responder,
  work: (connector: Connector) => Promise<T>,
  rewrite: (attribute: string) => string = (attribute) => attribute,
): Promise<T> => {
  const upstream = { host: new URL(scene.world.ad.plainUrl).hostname, port: 389 }
  const shim = await requestShim(upstream, rewrite, respond)
  try {
    return await using({ urls: [`ldap://127.0.0.1:${shim.port}`] }, work)
  } finally {
    await shim.close()
  }
}
/** Counts the changes that reach it. */
const saysAlways = (code: number, message: string) => {
  const seen = { requests: 0 }
  const respond: Responder = () => {
    seen.requests += 1
    return { code, message }
  }
  return { seen, respond }
}
const willNotPerform = (code: string) => `${code}: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0\n\0`

test('an account without a password is not enabled: said as such', async () => {
  const account = await addAccount()
  await scene.saying([{ op: 'disable', account }])
  await answering(saysAlways(53, willNotPerform('0000052D')).respond, async (connector) => {
    expect(await connector.apply([{ op: 'enable', account }], always)).toMatchObject([
      { kind: 'refused', reason: 'invalid', cause: { code: '53', word: 'needs-password' } },
    ])
  })
})

test('a policy refuses one member (53, and it is not there): it fails alone, the others are let in', async () => {
  const crowd = await addAccounts(9)
  const bad = crowd[4] as NativeId
  const group = await scene.world.addGroup(freshName())
  const respond: Responder = (request) =>
    request.includes(bad) ? { code: 53, message: willNotPerform('00002097') } : null
  await answering(respond, async (connector) => {
    const outcomes = await connector.apply(
      crowd.map((account) => grant(account, group)),
      always,
    )
    expect(outcomes.map(said)).toEqual(crowd.map((id) => (id === bad ? 'refused:not-allowed' : 'changed')))
    expect([...(await scene.world.membersOf(group))].sort()).toEqual(crowd.filter((id) => id !== bad).sort())
  })
})

test('53 to a removal, and the member is still there: refused, never taken for done', async () => {
  const account = await addAccount()
  const group = await scene.world.addGroup(freshName(), [account])
  await answering(saysAlways(53, willNotPerform('00000529')).respond, async (connector) => {
    expect((await connector.apply([revoke(account, group)], always)).map(said)).toEqual(['refused:not-allowed'])
  })
})

test('"already" that a read does not confirm is no success', async () => {
  const [account, other] = (await addAccounts(2)) as [NativeId, NativeId]
  const group = await scene.world.addGroup(freshName(), [other])
  const said68 = saysAlways(68, '00000562: UpdErr: DSID-031A11E2, problem 6005 (ENTRY_EXISTS), data 0\n\0')
  await answering(said68.respond, async (connector) => {
    expect((await connector.apply([grant(account, group)], always)).map(said)).toEqual(['retry'])
  })
  const said16 = saysAlways(16, '00000561: AttrErr: DSID-03190FA5, #1: problem 1001 (NO_ATTRIBUTE_OR_VAL)\n\0')
  await answering(said16.respond, async (connector) => {
    expect((await connector.apply([revoke(other, group)], always)).map(said)).toEqual(['retry'])
  })
  expect(await scene.world.membersOf(group)).toEqual([other])
})

test('no right to the group: all refused, and nobody tried one by one', async () => {
  const crowd = await addAccounts(9)
  const group = await scene.world.addGroup(freshName())
  const { seen, respond } = saysAlways(
    50,
    '00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0\n\0',
  )
  await answering(respond, async (connector) => {
    const outcomes = await connector.apply(
      crowd.map((account) => grant(account, group)),
      always,
    )
    expect(outcomes.map(said)).toEqual(crowd.map(() => 'refused:not-allowed'))
    expect(seen.requests).toBe(1)
  })
})

test('busy: the lane waits', async () => {
  const account = await addAccount()
  const group = await scene.world.addGroup(freshName())
  await answering(saysAlways(51, '00002095: SvcErr: problem 5001 (BUSY), data 0\n\0').respond, async (connector) => {
    expect((await connector.apply([grant(account, group)], always)).map(said)).toEqual(['throttled'])
  })
})

test('a storm: the first changes are told to come back; in the end all is as it was wanted, and nothing was done twice', async () => {
  const [leaver, ...crowd] = (await addAccounts(4)) as [NativeId, ...NativeId[]]
  const newcomer = person()
  const [full, empty] = [await scene.world.addGroup(freshName(), [leaver]), await scene.world.addGroup(freshName())]
  const storm = { left: 9, through: 0 }
  const respond: Responder = () => {
    if (storm.left > 0) storm.left -= 1
    else storm.through += 1
    return storm.through > 0 ? null : { code: 51, message: '00002095: SvcErr: problem 5001 (BUSY), data 0\n\0' }
  }
  await answering(respond, async (connector) => {
    const wanted = [
      { op: 'disable', account: leaver },
      revoke(leaver, full),
      ...crowd.map((account) => grant(account, empty)),
      ensure(newcomer),
    ] as const
    expect(await untilDone(connector, wanted)).toEqual(wanted.map(() => ['throttled', 'changed']))
  })
  expect(storm).toEqual({ left: 0, through: 5 })
  expect(await controlOf(leaver)).toBe(514)
  expect(await scene.world.membersOf(full)).toEqual([])
  expect(sorted(await scene.world.membersOf(empty))).toEqual(sorted(crowd))
  expect(await scene.world.accountsOf(newcomer)).toHaveLength(1)
})

test('somebody changes userAccountControl again and again: given up for now, nothing was overwritten', async () => {
  const account = await addAccount()
  const { seen, respond } = saysAlways(16, '00002085: AttrErr: problem 1001 (NO_ATTRIBUTE_OR_VAL)\n\0')
  await answering(respond, async (connector) => {
    expect(await connector.apply([{ op: 'disable', account }], always)).toMatchObject([
      { kind: 'retry', cause: { word: 'user-account-control-contended' } },
    ])
  })
  expect(seen.requests).toBe(4)
  expect(await controlOf(account)).toBe(512)
})

test('a UPN that another domain of the forest has', async () => {
  const message = '000021C8: AtrErr: DSID-03200BD7, #1: problem 1005 (CONSTRAINT_ATT_TYPE), data 0\n\0'
  await answering(saysAlways(19, message).respond, async (connector) => {
    expect(await connector.apply([ensure(person())], always)).toMatchObject([
      { kind: 'refused', reason: 'name-taken', cause: { word: 'upn-taken' } },
    ])
  })
})

test('the account was made and could not be opened: not "surely not applied"; repeated, it is linked', async () => {
  for (const code of [52, 51]) {
    const somebody = person()
    const respond: Responder = (request) =>
      request.includes('userAccountControl') && !request.includes('sAMAccountName') ? { code, message: '' } : null
    await answering(respond, async (connector) => {
      expect(await connector.apply([ensure(somebody)], always)).toMatchObject([
        { kind: 'unknown', cause: { word: expect.stringMatching(/^created-not-enabled-/) } },
      ])
    })
    expect(await scene.world.accountsOf(somebody)).toHaveLength(1)
    expect(accountOf((await scene.apply([ensure(somebody)]))[0])).toMatchObject({ origin: 'linked', enabled: false })
  }
})

test('a connection without encryption takes no password: the account is not made', async () => {
  const somebody = person()
  const respond: Responder = (request) =>
    request.includes('unicodePwd') ? { code: 53, message: willNotPerform('0000001F') } : null
  await answering(respond, async (connector) => {
    const [outcome] = await connector.apply([ensure(somebody)], always)
    expect(said(outcome)).toBe('refused:not-allowed')
    expect(accountOf(outcome)).toBeUndefined()
  })
  expect(await scene.world.accountsOf(somebody)).toEqual([])
})

/** What an access rule hides is simply not there. */
const hiding = <T>(hidden: string, work: (connector: Connector) => Promise<T>) =>
  answering(
    () => null,
    work,
    (attribute) => (attribute === hidden ? 'comment' : attribute),
  )

test('userAccountControl is hidden: nothing is said or changed of being enabled, groups are', async () => {
  const account = await addAccount()
  const group = await scene.world.addGroup(freshName())
  await hiding('userAccountControl', async (connector) => {
    const operations = [{ op: 'disable', account }, { op: 'enable', account }, grant(account, group)] as const
    const hidden = { kind: 'refused', reason: 'not-allowed', cause: { word: 'user-account-control-hidden' } }
    expect(await connector.apply(operations, always)).toMatchObject([hidden, hidden, { kind: 'done', changed: true }])
    expect((await connector.observe(operations, always)).map(said)).toEqual([
      'refused:not-allowed',
      'refused:not-allowed',
      'was-so',
    ])
    expect((await connector.accounts([account], always.signal)).kind).toBe('partial')
  })
})

test('memberOf is hidden: nobody is told to hold nothing, and doctor says why', async () => {
  const account = await addAccount()
  const group = await scene.world.addGroup(freshName(), [account])
  await hiding('memberOf', async (connector) => {
    expect((await connector.grantsOf([account], always.signal)).kind).toBe('partial')
    expect((await connector.apply([revoke(account, group)], always)).map(said)).toEqual(['retry'])
    expect((await connector.observe([revoke(account, group)], always)).map(said)).toEqual(['unknown'])
    expect((await connector.check(always.signal)).problems).toEqual([
      'memberOf cannot be read of everybody: memberships would seem to be gone',
    ])
  })
})

test('memberOf is hidden: a leaver is shut all the same and only then told as unread; who holds nothing waits for nobody', async () => {
  const [leaver, other] = (await addAccounts(2)) as [NativeId, NativeId]
  await scene.world.addGroup(freshName(), [leaver])
  await hiding('memberOf', async (connector) => {
    const disable = [
      { op: 'disable', account: leaver },
      { op: 'disable', account: other },
    ] as const
    const unread = { cause: { word: 'unverified-member-of-hidden' } }
    expect(await connector.apply(disable, always)).toMatchObject([
      { kind: 'unknown', ...unread },
      { kind: 'done', changed: true, grants: [] },
    ])
    expect([await controlOf(leaver), await controlOf(other)]).toEqual([514, 514])
    expect(await connector.apply(disable, always)).toMatchObject([
      { kind: 'retry', ...unread },
      { kind: 'done', changed: false },
    ])
    expect(await connector.apply([{ op: 'enable', account: leaver }], always)).toMatchObject([{ kind: 'done' }])
  })
})

test('the members of a group are hidden: it is not told as empty', async () => {
  const account = await addAccount()
  const [group, empty] = [await scene.world.addGroup(freshName(), [account]), await scene.world.addGroup(freshName())]
  await hiding('member', async (connector) => {
    expect(await listOf(connector, group)).toMatchObject({
      kind: 'failed',
      cause: expect.stringContaining('members-hidden'),
    })
    expect(await listOf(connector, empty)).toMatchObject({ kind: 'complete', members: [] })
  })
})
