import { expect, test } from 'vitest'
import { accountRights } from '../../../../src/connectors/ad/account-rights.ts'
import { adSettingsSchema } from '../../../../src/connectors/ad/config.ts'
import { allUses } from '../../../../src/connectors/connector.ts'
import type { LdapClient } from '../../../../src/connectors/ldap-wire/client.ts'

const peopleBase = 'OU=People,DC=corp,DC=example'
const settings = adSettingsSchema.parse({
  urls: ['ldaps://dc1.corp.example'],
  bindName: 'muster@corp.example',
  bindPassword: 'secret',
  peopleBase,
  groupsBase: 'OU=Groups,DC=corp,DC=example',
})
const somebody = { dn: '', attributes: new Map([['allowedattributeseffective', ['pwdLastSet']]]) }

test.each([
  ['an empty page is not the last', [[], [somebody], []], ['userAccountControl of an account there cannot be written']],
  ['there is nobody', [[], []], []],
])('%s', async (_, pages, problems) => {
  const client = {
    searchPages: async (_: unknown, __: number, onPage: (found: readonly unknown[]) => unknown) => {
      for (const page of pages) if (onPage(page) === 'enough') break
      return { ok: true, value: null }
    },
  } as unknown as LdapClient
  const told = await accountRights(client, settings, allUses)
  expect(told.problems).toEqual(problems.map((one) => `${peopleBase}: ${one}`))
  expect(told.unknown?.join().includes('nobody below')).toBe(problems.length === 0)
})
