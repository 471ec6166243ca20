import { describe, expect, test } from 'vitest'
import { cloudOf } from '../../../../src/connectors/entra/clouds.ts'
import { entraSettingsSchema } from '../../../../src/connectors/entra/config.ts'

const base = {
  tenant: '84841066-274d-4ec0-a5c1-276be684bdd3',
  clientId: '9a3d526c-b3c1-4479-ba74-197b5c5751ae',
  credential: { kind: 'federated', tokenFile: '/var/run/token' },
  account: { userPrincipalName: '{username}@contoso.com' },
}
const problems = (changes: Readonly<Record<string, unknown>>) => {
  const parsed = entraSettingsSchema.safeParse({ ...base, ...changes })
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

describe('configuration', () => {
  test('little is enough', () => {
    const settings = entraSettingsSchema.parse(base)
    expect(settings).toMatchObject({
      correlation: 'employeeId',
      roleAssignableGroups: false,
      settle: { ms: 120_000, confirmations: 2 },
      tenantSize: 'small',
    })
    expect(cloudOf(settings)).toEqual({
      graph: 'https://graph.microsoft.com',
      authority: 'https://login.microsoftonline.com',
      known: true,
    })
  })

  test.each([
    ['us-l4', 'https://graph.microsoft.us', 'https://login.microsoftonline.us'],
    ['us-l5', 'https://dod-graph.microsoft.us', 'https://login.microsoftonline.us'],
    ['china', 'https://microsoftgraph.chinacloudapi.cn', 'https://login.chinacloudapi.cn'],
  ])('cloud %s', (cloud, graph, authority) => {
    expect(cloudOf(entraSettingsSchema.parse({ ...base, cloud }))).toEqual({ graph, authority, known: true })
  })

  test('another cloud is told by its origins, and travels by TLS', () => {
    const cloud = { graph: 'https://127.0.0.1:8443', authority: 'https://127.0.0.1:8443' }
    expect(cloudOf(entraSettingsSchema.parse({ ...base, cloud }))).toEqual({ ...cloud, known: false })
    expect(problems({ cloud: { ...cloud, graph: 'http://127.0.0.1:8443' } })).not.toEqual([])
    expect(problems({ cloud: { ...cloud, graph: 'https://127.0.0.1/v1.0' } })).not.toEqual([])
  })

  test.each([
    [{ tenant: 'contoso.com' }, 'tenant: not a GUID'],
    [{ credential: { kind: 'secret' } }, 'credential: needs either secretFile or secret'],
    [{ credential: { kind: 'secret', secret: 'x', secretFile: 'y' } }, 'credential: needs either secretFile or secret'],
    [{ correlation: 'displayName' }, 'correlation: must be employeeId'],
    [
      { account: { userPrincipalName: '{username', attributes: { displayName: 'x' } } },
      'account.userPrincipalName: has a brace',
    ],
    [
      { account: { ...base.account, attributes: { displayName: 'x', employeeId: 'y' } } },
      'account.attributes.employeeId: is the correlation',
    ],
    [
      { account: { ...base.account, attributes: { displayName: ['a', 'b'] } } },
      'account.attributes.displayName: has one value only',
    ],
    [
      { account: { ...base.account, attributes: { displayName: 'x', userPrincipalName: 'y' } } },
      'not a property of a user',
    ],
    [
      { alternatives: [{ property: 'userPrincipalName', template: '{workEmail}', verify: {} }] },
      'name what must agree',
    ],
  ])('%j is refused', (changes, expected) => {
    expect(problems(changes).join('\n') + JSON.stringify(problems(changes))).toContain(expected)
  })
})
