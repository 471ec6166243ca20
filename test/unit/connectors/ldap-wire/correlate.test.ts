import { describe, expect, test } from 'vitest'
import type { Alternative } from '../../../../src/connectors/alternatives.ts'
import { type EnsureOperation, linkedToAnother } from '../../../../src/connectors/connector.ts'
import type { Missing } from '../../../../src/connectors/correlate-others.ts'
import { correlateOthers, type Matched } from '../../../../src/connectors/ldap-wire/correlate.ts'
import { type Entry, firstValue } from '../../../../src/connectors/ldap-wire/entry.ts'
import { failed, ok, type Result, resultFailure } from '../../../../src/connectors/ldap-wire/errors.ts'
import { type Found, foldKey } from '../../../../src/connectors/ldap-wire/resolve.ts'
import type { NativeId } from '../../../../src/domain/ids.ts'
import type { Outcome } from '../../../../src/domain/outcome.ts'
import type { WorkerAttributes } from '../../../../src/domain/worker-event.ts'

const byMail: Alternative = {
  property: 'mail',
  template: '{workEmail}',
  compare: 'ignoreCase',
  verify: { sn: '{familyName}' },
}
const byName: Alternative = {
  property: 'uid',
  template: '{givenName}.{familyName}',
  compare: 'exact',
  verify: { sn: '{familyName}' },
}
const jo: WorkerAttributes = { workEmail: 'jo@x', givenName: 'Jo', familyName: 'Doe' }
const account = (id: string, attributes: Readonly<Record<string, string | readonly string[]>>): Entry => ({
  dn: `uid=${id}`,
  attributes: new Map(Object.entries({ ...attributes, id }).map(([name, values]) => [name, [values].flat()])),
})
const operation = (worker: WorkerAttributes, known: string | null = null, create = false): EnsureOperation => ({
  op: 'ensureAccount',
  wanted: { correlation: { value: 'P-1' }, worker, attributesHash: '' },
  create,
  account: known as NativeId | null,
})

/** What becomes of these people, in a directory that takes for equal what differs in case only. */
const toldOf = async (
  people: readonly WorkerAttributes[],
  accounts: readonly Entry[] | Result<Found>,
  {
    alternatives = [byMail, byName],
    matched = [],
    others,
    create = false,
  }: {
    readonly alternatives?: readonly Alternative[]
    readonly matched?: readonly Matched[]
    /** Accounts that are somebody else's, with the word that says so. */
    readonly others?: Readonly<Record<string, string>>
    readonly create?: boolean
  } = {},
) => {
  const outcomes: (Outcome | undefined)[] = []
  const asked: string[] = []
  const askedAbout: string[] = []
  const linkRefusals = async (ids: readonly NativeId[]) => {
    askedAbout.push(...ids)
    return new Map(
      ids.flatMap((id) => {
        const word = others?.[id]
        return word === undefined
          ? []
          : [[id, { kind: 'refused', reason: 'account-ambiguous', cause: { code: '', word } } as Outcome] as const]
      }),
    )
  }
  const missing = people.map((worker, index): Missing => ({ index, operation: operation(worker, null, create) }))
  const told = await correlateOthers(
    {
      correlation: 'employeeNumber',
      alternatives,
      ...(others === undefined ? {} : { linkRefusals }),
      idOf: (entry) => firstValue(entry, 'id') as NativeId | undefined,
      find: async ({ property }, values) => {
        asked.push(...values.map((value) => `${property}=${value}`))
        if ('ok' in accounts) return accounts
        const of = (value: string) =>
          accounts.filter(({ attributes }) => attributes.get(property)?.some((one) => foldKey(one) === foldKey(value)))
        return ok(new Map(values.map((value) => [foldKey(value), of(value)])))
      },
    },
    { matched, missing },
    outcomes,
  )
  return {
    asked,
    ...(others === undefined ? {} : { askedAbout }),
    words: people.map((_, index) => {
      const outcome = outcomes[index]
      if (outcome !== undefined) return 'cause' in outcome ? outcome.cause.word : outcome.kind
      const match = told.matched.find((one) => one.index === index)
      return match === undefined ? 'missing' : firstValue(match.entry, 'id')
    }),
  }
}

test('the first that finds anything decides, also where it is not certain; the next is not asked', async () => {
  const named = account('b', { uid: 'Jo.Doe', sn: 'Doe' })
  expect(await toldOf([jo], [account('a', { mail: 'JO@X', sn: 'DOE' }), named])).toEqual({
    asked: ['mail=jo@x'],
    words: ['a'],
  })
  expect(await toldOf([jo], [account('a', { mail: 'jo@x', sn: 'Roe' }), named])).toEqual({
    asked: ['mail=jo@x'],
    words: ['alternative-not-verified'],
  })
  expect((await toldOf([jo], [named])).words).toEqual(['b'])
})

test('several are for a human, whosever the others are', async () => {
  const [one, other] = ['a', 'b'].map((id) => account(id, { mail: 'jo@x', sn: 'Doe' })) as [Entry, Entry]
  expect((await toldOf([jo], [one, other])).words).toEqual(['several-accounts'])
  const keyed = account('c', { mail: 'jo@x', sn: 'Roe', employeenumber: 'P-2' })
  expect((await toldOf([jo], [one, keyed])).words).toEqual(['several-accounts'])
})

describe('whoever is only looked for, and whose old name is somebody else’s by now', () => {
  const anothers = account('a', { mail: 'jo@x', sn: 'Roe', employeenumber: 'P-2' })
  const renamed = account('b', { mail: 'jo@x', sn: 'Roe' })
  const own = account('c', { uid: 'Jo.Doe', sn: 'Doe' })
  const others = { a: linkedToAnother, b: linkedToAnother }

  test('is looked for by what is left', async () => {
    const asked = ['mail=jo@x', 'uid=Jo.Doe']
    expect(await toldOf([jo], [anothers, own], { others })).toEqual({ asked, askedAbout: ['a'], words: ['c'] })
    expect(await toldOf([jo], [renamed], { others })).toEqual({ asked, askedAbout: ['b'], words: ['missing'] })
  })

  test.each<readonly [string, Entry, string]>([
    ['of nobody known', account('d', { mail: 'jo@x', sn: 'Doe', employeenumber: 'P-3' }), 'has-another-key'],
    ['a read failed', account('e', { mail: 'jo@x', sn: 'Doe', employeenumber: 'P-3' }), 'has-another-key'],
  ])('stays in doubt: %s', async (_, entry, word) => {
    const told = await toldOf([jo], [entry, own], { others: { ...others, e: 'not-read-before' } })
    expect(told).toMatchObject({ asked: ['mail=jo@x'], words: [word] })
  })

  test.each<readonly [string, Entry, string]>([
    ['their own key is there, too', account('a', { mail: 'jo@x', employeenumber: ['P-1', 'P-2'] }), 'has-another-key'],
    ['theirs by all that was asked for', account('a', { mail: 'jo@x', sn: 'Doe' }), 'a'],
  ])('nobody is asked whose it is: %s', async (_, entry, word) => {
    expect(await toldOf([jo], [entry, own], { others })).toEqual({
      asked: ['mail=jo@x'],
      askedAbout: [],
      words: [word],
    })
  })

  test('several are for a human, and so is a joiner, who may be meant', async () => {
    expect((await toldOf([jo], [anothers, renamed], { others })).words).toEqual(['several-accounts'])
    expect(await toldOf([jo], [anothers, own], { others, create: true })).toEqual({
      asked: ['mail=jo@x'],
      askedAbout: [],
      words: ['has-another-key'],
    })
  })
})

test.each([
  ['one of several values', { mail: ['old@x', 'jo@x'], sn: ['Roe', 'doe'] }, 'a'],
  ['exact: not in another case', { uid: 'jo.doe', sn: 'Doe' }, 'missing'],
  ['exact: nor what verifies it', { uid: 'Jo.Doe', sn: 'DOE' }, 'alternative-not-verified'],
  [
    'their own key, which nobody had a moment ago',
    { mail: 'jo@x', sn: 'Doe', employeenumber: 'P-1' },
    'found-meanwhile',
  ],
  ['several keys', { mail: 'jo@x', sn: 'Doe', employeenumber: ['P-1', 'P-2'] }, 'has-another-key'],
  ['the key of another', { mail: 'jo@x', sn: 'Doe', employeenumber: 'P-2' }, 'has-another-key'],
  ['nothing to verify by', { mail: 'jo@x' }, 'alternative-not-verified'],
])('%s', async (_, attributes, word) => {
  expect((await toldOf([jo], [account('a', attributes)])).words).toEqual([word])
})

test.each<WorkerAttributes>([
  { givenName: 'Jo' },
  { workEmail: null, familyName: 'Doe' },
  { workEmail: '', givenName: ' ', familyName: 'Doe' },
])('whoever lacks a part of a value is not looked for by the rest of it: %j', async (worker) => {
  const accounts = [account('a', { uid: ['Jo.', '.Doe'], mail: '', sn: 'Doe' })]
  expect(await toldOf([worker], accounts)).toEqual({ asked: [], words: ['missing'] })
})

test('what two claim is neither’s, by whatever way; nor is what one has already', async () => {
  const both = account('a', { mail: 'jo@x', uid: 'Jo.Doe', sn: 'Doe' })
  const namesake = { ...jo, workEmail: null }
  expect((await toldOf([jo, namesake, { workEmail: 'x@x' }], [both])).words).toEqual([
    'claimed-by-several',
    'claimed-by-several',
    'missing',
  ])
  const matched = [{ index: 7, operation: operation({}, 'a'), entry: both }]
  expect((await toldOf([jo], [both], { matched })).words).toEqual(['claimed-by-several'])
  const hidden = [account('', { mail: 'jo@x', sn: 'Doe' }), account('', { uid: 'Jo.Doe', sn: 'Doe' })]
  const apart = hidden.map((entry, at) => ({ ...entry, dn: `uid=${at}` }))
  expect((await toldOf([jo, namesake], apart)).words).toEqual(['', ''])
})

test('a directory that does not answer has not said that nobody is there', async () => {
  const { words } = await toldOf([jo, {}], failed(resultFailure(51, '')))
  expect(words[0]).not.toBe('missing')
  expect(words[1]).toBe('missing')
})
