import { expect, test } from 'vitest'
import { readMembers } from '../../../../src/connectors/ldap/read-back.ts'
import { directory, entry, group, groupEntry, people, settingsWith, shows } from './fake-directory.ts'

const named = (uid: string) => `uid=${uid},${people}`
// Two people's to OpenLDAP, and one name to whoever folds white space.
const [blank, tab] = [named('a b'), named('a\tb')]
const [yes, no] = [shows(groupEntry), shows()]

/** `member`: as the group spells them. `told`: what the directory answers, asked for one name after the other. */
const present = async (member: readonly string[], dns: readonly string[], ...told: readonly (typeof yes)[]) => {
  const whole = shows(entry(group.name, ...groupEntry.attributes, ['member', member]))
  const { client, asked } = directory({ [group.name]: [whole, ...told] })
  const read = await readMembers(client, settingsWith(), group.name, dns)
  return { present: read.ok ? [...read.value.present] : read, asked: asked.length - 1 }
}

test.each([
  ['the first', yes, no, [blank]],
  ['the second', no, yes, [tab]],
  ['both', yes, yes, [blank, tab]],
  ['neither', no, no, []],
] as const)(
  'names that fold alike, and a third spelling in the group: each is asked about (%s)',
  async (_, one, other, members) => {
    expect(await present([named('A  B')], [blank, tab], one, other)).toEqual({ present: members, asked: 2 })
  },
)

test('a member that is spelled as one who is asked for is that one, and nobody else', async () => {
  expect(await present([tab], [blank, tab])).toEqual({ present: [tab], asked: 0 })
  expect(await present([named('ONE')], [named('one'), named('two')])).toEqual({ present: [named('one')], asked: 0 })
})

test('who could be somebody else by a tab is asked about, also alone', async () => {
  expect(await present([tab], [blank], no)).toEqual({ present: [], asked: 1 })
})
