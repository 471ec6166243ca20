/** People whose accounts lack the person key: what finds them, and what only seems to. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Connector,
  type LinkRefusals,
  linkedToAnother,
  notSo,
  type Operation,
} from '../../src/connectors/connector.ts'
import type { NativeId } from '../../src/domain/ids.ts'
import type { Outcome } from '../../src/domain/outcome.ts'
import { freshName } from '../support/stack.ts'
import { accountOf, always, ensure, neverLinking, notLinkable, type Person, said, type World } from './world.ts'

export type KeylessScene = {
  readonly world: Pick<World, 'person' | 'accountsOf'>
  /** The attribute of the person key. */
  readonly correlation: string
  /** Another attribute that the target can be searched by. */
  readonly named: string
  /** The key is written to whoever is found. */
  readonly writesKey: boolean
  readonly connect: (changes: Readonly<Record<string, unknown>>) => Connector
  /** Makes an account past the connector, with these attributes only. */
  readonly addAccount: (attributes: Readonly<Record<string, string>>) => Promise<NativeId>
  readonly setMail: (account: NativeId, mail: string) => Promise<void>
}

const verify = { givenName: '{givenName}' }
const alternativesBy = (named: string) => [
  { property: 'mail', template: '{workEmail}', verify },
  { property: named, template: '{custom.number}', compare: 'exact', verify },
]

export const findsKeyless = (sceneOf: () => KeylessScene) =>
  describe('accounts without the person key', () => {
    let scene: KeylessScene
    let connector: Connector
    beforeAll(() => {
      scene = sceneOf()
      connector = scene.connect({ alternatives: alternativesBy(scene.named) })
    })
    afterAll(() => connector?.close())
    const person = (more: Person['worker'] = {}): Person => {
      const { key, worker } = scene.world.person(freshName())
      return { key, worker: { ...worker, ...more } }
    }
    const mailOf = ({ worker }: Person) => ({ mail: String(worker.workEmail), givenName: 'Given' })
    const apply = (operations: readonly Operation[]) => connector.apply(operations, always)
    const wordOf = (outcome: Outcome) => (outcome.kind === 'refused' ? outcome.cause.word : said(outcome))

    test('are found by what else stands on them, observed and linked; held by their id from then on', async () => {
      const number = `0042*)(cn=\\2a ${freshName()}`
      const [mailed, numbered] = [person(), person({ 'custom.number': number })]
      const ids = [
        await scene.addAccount({ mail: String(mailed.worker.workEmail).toUpperCase(), givenName: 'GIVEN' }),
        await scene.addAccount({ [scene.named]: number, givenName: 'Given' }),
      ]
      const operations = [ensure(mailed), ensure(numbered)]
      const observed = await connector.observe(operations, always)
      expect(observed.map((outcome) => accountOf(outcome)?.nativeId)).toEqual(ids)
      const linked = await apply(operations)
      expect(
        linked.map((outcome) => [said(outcome), accountOf(outcome)?.origin, accountOf(outcome)?.nativeId]),
      ).toEqual(ids.map((id) => [scene.writesKey ? 'changed' : 'was-so', 'linked', id]))
      expect(await scene.world.accountsOf(mailed)).toEqual(scene.writesKey ? [ids[0]] : [])
      await scene.setMail(ids[0] as NativeId, `${freshName()}@bank.example`)
      expect((await apply([ensure(mailed, true, ids[0])])).map(said)).toEqual(['was-so'])
    })

    test('exact is exact, whatever the directory takes for equal', async () => {
      const somebody = person({ 'custom.number': `n-${freshName()}` })
      await scene.addAccount({
        [scene.named]: String(somebody.worker['custom.number']).toUpperCase(),
        givenName: 'Given',
      })
      expect((await apply([ensure(somebody, false)])).map(said)).toEqual(['refused:account-missing'])
    })

    test('are looked for anew when HR tells another value to look by, or they are compared otherwise', async () => {
      const { worker } = person()
      expect(connector.creationHash({ ...worker, 'custom.number': '43' })).not.toBe(connector.creationHash(worker))
      const exactly = alternativesBy(scene.named).map((one) => ({ ...one, compare: 'exact' }))
      const exact = scene.connect({ alternatives: exactly })
      expect(exact.creationHash(worker)).not.toBe(connector.creationHash(worker))
      await exact.close()
    })

    test('are not looked for by half of a value', async () => {
      const somebody = person()
      await scene.addAccount(mailOf(somebody))
      const halves = scene.connect({
        alternatives: [
          { property: 'mail', template: '{custom.prefix}{workEmail}', verify },
          { property: 'mail', template: '{workEmail}', verify: { givenName: '{custom.prefix}Given' } },
        ],
      })
      const [outcome = notLinkable] = await halves.apply([ensure(somebody, false)], always)
      expect(wordOf(outcome)).toBe('alternative-not-verified')
      await halves.close()
    })

    test('are never guessed: with another key, several, not proved, claimed by two; who has none gets one', async () => {
      const [taken, many, unproved, one] = [person(), person(), person(), person()]
      const other = person({ workEmail: one.worker.workEmail ?? null })
      const nobody = person()
      await scene.addAccount({ ...mailOf(taken), [scene.correlation]: freshName() })
      await scene.addAccount(mailOf(many))
      await scene.addAccount(mailOf(many))
      await scene.addAccount({ ...mailOf(unproved), givenName: 'Another' })
      await scene.addAccount(mailOf(one))
      const outcomes = await apply([taken, many, unproved, one, other, nobody].map((somebody) => ensure(somebody)))
      expect(outcomes.map(wordOf)).toEqual([
        'has-another-key',
        'several-accounts',
        'alternative-not-verified',
        'claimed-by-several',
        'claimed-by-several',
        'changed',
      ])
      expect(new Set(outcomes.slice(0, 5).map(said))).toEqual(new Set(['refused:account-ambiguous']))
      expect(await scene.world.accountsOf(nobody)).toHaveLength(1)
      expect(await scene.world.accountsOf(one)).toEqual([])
    })

    test('whose name is somebody else’s by now are nobody’s where they are only looked for', async () => {
      const [known, unknown] = [person(), person()]
      const others = [
        await scene.addAccount({ ...mailOf(known), [scene.correlation]: freshName() }),
        await scene.addAccount({ ...mailOf(unknown), [scene.correlation]: freshName() }),
      ]
      const linkRefusals: LinkRefusals = async () =>
        new Map([
          [
            others[0] as NativeId,
            { kind: 'refused', reason: 'account-ambiguous', cause: { code: '', word: linkedToAnother } },
          ],
        ])
      const sought = [ensure(known, false), ensure(unknown, false)]
      const outcomes = await connector.observe(sought, { ...always, sentMsAgo: null, linkRefusals })
      expect(outcomes).toMatchObject([
        { kind: 'retry', cause: { word: notSo } },
        { kind: 'refused', cause: { word: 'has-another-key' } },
      ])
      expect((await connector.observe(sought, always)).map(wordOf)).toEqual(['has-another-key', 'has-another-key'])
    })

    test('are not linked where they may not be, and no second one is made', async () => {
      const somebody = person()
      const account = await scene.addAccount(mailOf(somebody))
      const { asked, context } = neverLinking()
      expect(await connector.apply([ensure(somebody)], context)).toEqual([notLinkable])
      expect(asked).toEqual([account])
      expect(await scene.world.accountsOf(somebody)).toEqual([])
    })
  })
