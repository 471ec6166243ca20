import type { Filter } from 'ldapts'
import { expect, test } from 'vitest'
import { readAccounts, unreadGroups } from '../../../../src/connectors/ad/account.ts'
import { adSettingsSchema } from '../../../../src/connectors/ad/config.ts'
import type { LdapClient } from '../../../../src/connectors/ldap-wire/client.ts'
import type { NativeId } from '../../../../src/domain/ids.ts'

const settings = adSettingsSchema.parse({
  urls: ['ldaps://dc1.corp.example'],
  bindName: 'muster@corp.example',
  bindPassword: 'secret',
  peopleBase: 'OU=People,DC=corp,DC=example',
  groupsBase: 'OU=Groups,DC=corp,DC=example',
})
const guid = (at: number) => `${String(at).padStart(8, '0')}-0000-4000-8000-000000000000` as NativeId
const dnOf = (at: number) => `CN=p${at}.,OU=People,DC=corp,DC=example`
const crowd = Array.from({ length: 120 }, (_, at) => at)
const entries = crowd.map((at) => ({
  dn: `<GUID=${guid(at)}>;<SID=S-1-5-21-1-2-3-${1_000 + at}>;${dnOf(at)}`,
  attributes: new Map([
    ['objectguid', [guid(at)]],
    ['useraccountcontrol', ['512']],
    ['primarygroupid', ['513']],
  ]),
}))

/** A domain where these are members of a group, and their own memberOf may not be read (AdminSDHolder). */
const domain = (hidden: readonly number[]) => {
  const asked: number[] = []
  const client = {
    search: async () => ({ ok: true, value: entries }),
    searchPages: async ({ filter }: { filter: Filter }, _: number, onPage: (found: readonly unknown[]) => unknown) => {
      const text = JSON.stringify(filter)
      asked.push(crowd.filter((at) => text.includes(dnOf(at))).length)
      onPage(hidden.some((at) => text.includes(dnOf(at))) ? [{ dn: '', attributes: new Map() }] : [])
      return { ok: true, value: null }
    },
  } as unknown as LdapClient
  return { client, asked }
}

test('everybody who shows no group is asked about, and who is held by one fails alone', async () => {
  const { client, asked } = domain([8, 119])
  const read = await readAccounts(client, settings, crowd.map(guid))
  const failures = read.ok ? [...read.value.values()].filter(({ groups }) => !groups.ok) : []
  expect(failures.map((account) => account.guid)).toEqual([guid(8), guid(119)])
  expect(failures[0]?.groups).toMatchObject({ ok: false, failure: { word: 'member-of-hidden' } })
  expect(read.ok && unreadGroups(read.value)?.word).toBe('member-of-hidden')
  expect(Math.max(...asked)).toBe(50)
})

test('nobody is held: three questions for 120', async () => {
  const { client, asked } = domain([])
  const read = await readAccounts(client, settings, crowd.map(guid))
  expect(read.ok && unreadGroups(read.value)).toBeUndefined()
  expect(asked).toEqual([50, 50, 20])
})
