import { describe, expect, test } from 'vitest'
import { adSettingsSchema, isOfDomain } from '../../../../src/connectors/ad/config.ts'
import { adManifest } from '../../../../src/connectors/ad/manifest.ts'

const good = {
  urls: ['ldaps://dc1.corp.example'],
  bindName: 'muster@corp.example',
  bindPassword: 'secret',
  peopleBase: 'OU=People,DC=corp,DC=example',
  groupsBase: 'OU=Groups,DC=corp,DC=example',
}
const problems = (changes: Readonly<Record<string, unknown>>) =>
  adSettingsSchema.safeParse({ ...good, ...changes }).error?.issues.map(({ path }) => path.join('.')) ?? []

test('little is needed; the rest has defaults, and the domain is taken from the people', () => {
  expect(adSettingsSchema.parse(good)).toMatchObject({
    searchBase: 'dc=corp,dc=example',
    correlation: 'employeeID',
    account: { rdn: 'CN={displayName|username}', sAMAccountName: '{username}', attributes: {} },
    leaver: { resetPassword: false, clearManager: false },
    writeAdminAccounts: false,
    recycleBin: false,
  })
})

test.each([
  [{ urls: ['ldap://dc1'] }, ['security']],
  [{ urls: ['ldap://dc1'], security: 'plain' }, []],
  [{ urls: ['ldap://dc1'], security: 'startTls' }, []],
  [{ urls: ['ldaps://dc1'], security: 'plain' }, ['security']],
  [{ urls: ['ldaps://dc1', 'ldap://dc2'] }, ['urls']],
  [{ urls: [] }, ['urls', 'security']],
  [{ bindPassword: '' }, ['bindPassword']],
])('security is said, never assumed: %j', (changes, expected) => {
  expect(problems(changes)).toEqual(expected)
})

describe('what would fail later is found now', () => {
  test.each([
    [{ account: { attributes: { userAccountControl: '512' } } }, ['account.attributes.userAccountControl']],
    [{ account: { attributes: { MEMBEROF: '{username}' } } }, ['account.attributes.MEMBEROF']],
    [{ account: { attributes: { cn: '{displayName}' } } }, ['account.attributes.cn']],
    [{ account: { attributes: { employeeid: '{personKey}' } } }, ['account.attributes']],
    [{ account: { sAMAccountName: '{' } }, ['account.sAMAccountName']],
    [{ account: { rdn: 'CN={' } }, ['account.rdn']],
    [{ leaver: { moveTo: 'ou=people, dc=corp,dc=example' } }, ['leaver.moveTo']],
    [
      { alternatives: [{ property: 'EMPLOYEEID', template: '0{personKey}', verify: { sn: '{familyName}' } }] },
      ['alternatives.0.property'],
    ],
    [{ peopleBase: 'OU=People' }, ['searchBase']],
    [{ searchBase: 'DC=x' }, ['peopleBase']],
    [{ searchBase: 'OU=PEOPLE, DC=corp,DC=example' }, []],
    [{ leaver: { moveTo: 'OU=Leavers,DC=other,DC=example' } }, ['leaver.moveTo']],
    [{ surprise: 1 }, ['']],
  ])('%j', (changes, expected) => {
    expect(problems(changes)).toEqual(expected)
  })
})

test('deleted for good, unless there is a recycle bin', () => {
  const { urls } = good
  expect(adManifest({ recycleBin: false, urls }).deleteAccount).toBe('hard')
  expect(adManifest({ recycleBin: true, urls }).deleteAccount).toBe('soft')
})

test('one controller shows a write at once; of several, another may not yet', () => {
  const { urls } = good
  expect(adManifest({ recycleBin: false, urls }).settleMs).toBe(0)
  expect(adManifest({ recycleBin: false, urls: [...urls, 'ldaps://dc2.corp.example'] }).settleMs).toBeGreaterThan(0)
})

test("another domain's group is not looked for in this one, nor is a child domain's", () => {
  const settings = adSettingsSchema.parse({ ...good, searchBase: 'OU=People,DC=corp,DC=example' })
  expect(isOfDomain(settings, 'CN=G,OU=Groups,DC=Corp, DC=Example')).toBe(true)
  expect(isOfDomain(settings, 'CN=G,OU=Groups,DC=other,DC=example')).toBe(false)
  expect(isOfDomain(settings, 'CN=G,OU=Groups,DC=child,DC=corp,DC=example')).toBe(false)
})
