/** What both AWS connectors sign with ends before its time, or is changed, while they work. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Signers } from '../../simulators/aws/signers.ts'
import { secretsIn } from '../../src/app/secrets.ts'
import type { WireSettings } from '../../src/connectors/aws-wire/settings.ts'
import type { Connector, ConnectorTools, Operation } from '../../src/connectors/connector.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import { always, freshKey, grant, revoke, said, sorted, type World } from './world.ts'

export type SignedWorld = {
  readonly world: World
  readonly signers: Signers
  /** Whoever asked closes it. */
  readonly make: (credentials: WireSettings['credentials'], tools: Tools) => Connector
}
type Tools = { readonly now: () => number; readonly secret?: ConnectorTools['secret'] }

/** Longer than a session counts as new. */
const whileMs = 10_000

export const awsCredentials = (open: () => SignedWorld): void => {
  describe('what it signs with', () => {
    let dir: string
    beforeAll(() => {
      dir = mkdtempSync(join(tmpdir(), 'muster-aws-'))
      writeFileSync(join(dir, 'token'), 'a token')
    })
    afterAll(() => rmSync(dir, { recursive: true }))
    afterEach(() => open().signers.takeAll())

    let clock = Date.now()
    const byWebIdentity = () =>
      open().make(
        {
          from: 'webIdentity',
          roleArn: 'arn:aws:iam::123456789012:role/muster',
          tokenFile: join(dir, 'token'),
          sessionName: 'muster',
        },
        { now: () => clock },
      )
    const scene = async (by: Connector) => {
      const { world, signers } = open()
      const people = Array.from({ length: 3 }, () => world.person(freshKey()))
      const accounts = (await world.addAccounts(people)) as readonly [NativeId, NativeId, NativeId]
      const group = await world.addGroup(freshKey())
      /** The words of the outcomes, who signed, and how often STS was asked for a session. */
      const saying = async (...operations: readonly Operation[]) => {
        signers.forget()
        const words = (await by.apply(operations, always)).map(said)
        return { words, signed: [...new Set(signers.signed())], signIns: signers.signIns() }
      }
      const members = async () => sorted(await world.membersOf(group))
      return { world, signers, accounts, group, saying, members }
    }

    test('keys in files that are changed: the next call is signed with the new ones, in the middle of a batch, too', async () => {
      const [id, secret] = [join(dir, 'id'), join(dir, 'secret')]
      const put = (accessKeyId: string) => {
        writeFileSync(id, accessKeyId)
        writeFileSync(secret, `secret of ${accessKeyId}`)
      }
      put('AKIAFIRST')
      const by = open().make(
        { from: 'keys', accessKeyId: 'AKIAFIRST', secretAccessKey: 'at the start' },
        {
          now: () => clock,
          secret: secretsIn({ 'credentials.accessKeyId': id, 'credentials.secretAccessKey': secret }),
        },
      )
      const { world, signers, accounts, group, saying, members } = await scene(by)
      const [first, second, third] = accounts
      expect(await saying(grant(first, group))).toMatchObject({ words: ['changed'], signed: ['AKIAFIRST'] })
      signers.refuse('AKIAFIRST', 'unknown')
      expect((await saying(grant(second, group), revoke(first, group))).words).toEqual([
        'refused:credential',
        'refused:credential',
      ])
      expect(await members()).toEqual([first])
      put('AKIASECOND')
      expect(await saying(grant(second, group), revoke(first, group))).toMatchObject({
        words: ['changed', 'changed'],
        signed: ['AKIASECOND'],
      })
      world.faults.atNextWrite('before-commit', async () => {
        signers.refuse('AKIASECOND', 'unknown')
        put('AKIATHIRD')
      })
      expect(await saying(grant(first, group), grant(third, group), revoke(second, group))).toMatchObject({
        words: ['changed', 'changed', 'changed'],
        signed: ['AKIASECOND', 'AKIATHIRD'],
      })
      expect(await members()).toEqual(sorted([first, third]))
      await by.close()
    })

    test('a session that ends before its time: another one is had, once, and all is done, once', async () => {
      const by = byWebIdentity()
      const { world, signers, accounts, group, saying, members } = await scene(by)
      const [first, second, third] = accounts
      const begun = await saying(grant(first, group))
      expect(begun).toMatchObject({ words: ['changed'], signed: [expect.any(String)], signIns: 1 })
      const [ended = ''] = begun.signed
      clock += whileMs
      signers.refuse(ended, 'expired')
      const went = await saying(grant(second, group), grant(third, group), revoke(first, group))
      expect(went).toEqual({
        words: ['changed', 'changed', 'changed'],
        signed: [ended, expect.any(String)],
        signIns: 1,
      })
      expect(await members()).toEqual(sorted([second, third]))
      // It ends between the first write and what follows it.
      const [, next = ''] = went.signed
      clock += whileMs
      world.faults.atNextWrite('before-commit', async () => signers.refuse(next, 'unknown'))
      expect(await saying(revoke(second, group), revoke(third, group), grant(first, group))).toEqual({
        words: ['changed', 'changed', 'changed'],
        signed: [next, expect.any(String)],
        signIns: 1,
      })
      expect(await members()).toEqual([first])
      await by.close()
    })

    test('the new session is refused as well: told as a credential, and STS is not asked again for each call', async () => {
      const by = byWebIdentity()
      const { signers, accounts, group, saying, members } = await scene(by)
      const all = accounts.map((account) => grant(account, group))
      const refused = all.map(() => 'refused:credential')
      signers.refuse('*', 'expired')
      expect(await saying(...all)).toMatchObject({ words: refused, signIns: 1 })
      expect(await saying(...all)).toMatchObject({ words: refused, signIns: 0 })
      clock += whileMs
      expect(await saying(...all)).toMatchObject({ words: refused, signIns: 1 })
      expect(await members()).toEqual([])
      signers.takeAll()
      expect(await saying(...all)).toMatchObject({ words: all.map(() => 'changed'), signIns: 0 })
      expect(await members()).toEqual(sorted(accounts))
      await by.close()
    })
  })
}
