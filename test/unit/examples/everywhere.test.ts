/** examples/everywhere, as it is and without a target that cannot be had: what the demo's last chapters stand on. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { everywhere, everywhereFiles, own } from '../../../scripts/demo/everywhere/config.ts'
import { otherTargetNames, targetsOn } from '../../../scripts/demo/everywhere/places.ts'
import { loadDirectory } from '../../../src/config.ts'
import { knownAttributes } from '../../../src/domain/attributes.ts'
import { parsePolicies } from '../../../src/policies/parse.ts'

const env = {
  MUSTER_STACK_LDAP_URL: 'ldaps://127.0.0.1:636',
  MUSTER_STACK_LDAP_CA_FILE: '/ca.pem',
  MUSTER_STACK_LDAP_SERVICE_DN: 'cn=muster,ou=services,dc=bank,dc=example',
  MUSTER_STACK_LDAP_SERVICE_PASSWORD: 'p',
  MUSTER_STACK_AD_URL: 'ldaps://127.77.1.1',
  MUSTER_STACK_AD_CA_FILE: '/ca.pem',
  MUSTER_STACK_AD_SERVICE_NAME: 'muster@corp.bank.example',
  MUSTER_STACK_AD_SERVICE_PASSWORD: 'p',
  MUSTER_STACK_GRAPH_URL: 'https://127.0.0.1:443',
  MUSTER_STACK_GRAPH_AUTHORITY: 'https://127.0.0.1:443',
  MUSTER_STACK_GRAPH_TENANT: '00000000-0000-0000-0000-000000000000',
  MUSTER_STACK_GRAPH_CLIENT_ID: '00000000-0000-0000-0000-000000000000',
  MUSTER_STACK_GRAPH_CLIENT_SECRET_FILE: '/secret',
  MUSTER_STACK_AWS_REGION: 'eu-central-1',
  MUSTER_STACK_AWS_ENDPOINT: 'http://127.0.0.1:80',
  MUSTER_STACK_AWS_INSTANCE_ARN: 'arn:aws:sso:::instance/ssoins-0123456789abcdef',
  MUSTER_STACK_AWS_IDENTITY_STORE_ID: 'd-0123456789',
  MUSTER_STACK_AWS_ACCESS_KEY_ID: 'a',
  MUSTER_STACK_AWS_SECRET_ACCESS_KEY: 's',
}
const dirs: string[] = []
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true })
})

const read = (directory: string, some: Readonly<Record<string, string>> = env) => {
  const loaded = loadDirectory(directory, some)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems, null, 1))
  const { file, policyFiles } = loaded.value
  const targets = file.targets.map(({ id }) => id)
  const parsed = parsePolicies(policyFiles, { attributes: knownAttributes, targets })
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems, null, 1))
  return { file, targets, set: parsed.set }
}

const without = (...leftOut: string[]) => {
  const dir = mkdtempSync(join(tmpdir(), 'muster-everywhere-'))
  dirs.push(dir)
  for (const { path, text } of everywhereFiles(leftOut, 'dc=bank,dc=example')) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
  return dir
}

test('it has a target of each kind, and no mistake', () => {
  const { file, targets } = read(everywhere)
  expect(file.targets.map(({ type }) => type).sort()).toEqual(['ad', 'aws', 'aws-iam', 'entra', 'ldap'])
  expect(targets).toEqual(['bank-ldap', 'bank-ad', 'bank-entra', 'bank-aws', 'bank-iam'])
})

describe('what the demo makes of it', () => {
  test('stands beside the first chapters without meeting them', () => {
    const { file } = read(without())
    expect(file.sources[0]).toMatchObject({ topics: [own.topic], group: own.group })
    expect(file.queue.prefix).toBe(own.prefix)
    expect(file.targets[0]).toMatchObject({
      ldap: {
        peopleBase: 'ou=people,ou=everywhere,dc=bank,dc=example',
        groupsBase: 'ou=groups,ou=everywhere,dc=bank,dc=example',
      },
    })
  })

  test.each(otherTargetNames)('has no mistake without %s, and nothing of it', (target) => {
    const gone = targetsOn([target])
    const { targets, set } = read(without(...gone))
    expect(targets.filter((one) => gone.includes(one))).toEqual([])
    expect(set.entitlements.length).toBeGreaterThan(0)
    expect(set.entitlements.filter((one) => gone.includes(one.target))).toEqual([])
  })

  test('needs no word of the environment for what is left out', () => {
    const some = Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('MUSTER_STACK_LDAP')))
    const { targets, set } = read(without(...targetsOn(otherTargetNames)), some)
    expect(targets).toEqual(['bank-ldap'])
    expect(set.sod).toEqual([])
  })
})
