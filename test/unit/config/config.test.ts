import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadConfig, loadDirectory, loadPolicies, problemText } from '../../../src/config.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'muster-unit-'))
  mkdirSync(join(directory, 'policies'))
  writeFileSync(join(directory, 'policies', 'a.yaml'), 'entitlements: {}\n')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const env = {
  MUSTER_DATABASE_URL: 'postgresql://muster_engine:pw@127.0.0.1:5432/muster',
  MUSTER_REDIS_URL: 'redis://127.0.0.1:6379',
  MUSTER_KAFKA_BROKERS: '127.0.0.1:9092, other:9093',
  LDAP_PASSWORD: 'from the environment',
}

const good = `
sources:
  - { id: hr, type: kafka, topics: [hr.worker.v1] }
targets:
  - id: corp
    type: ldap
    expectWithin: 2h
    ldap:
      url: ldaps://ldap.example:636
      caFile: ca.pem
      bindDn: cn=muster,dc=example
      bindPassword: env:LDAP_PASSWORD
      peopleBase: ou=people,dc=example
      groupsBase: ou=groups,dc=example
      account: { rdn: 'uid={username}', attributes: { cn: '{displayName}', sn: '{familyName}' } }
`

const entra = `    type: entra
    entra:
      tenant: 00000000-0000-0000-0000-000000000000
      clientId: 00000000-0000-0000-0000-000000000000
      credential: { kind: federated, tokenFile: token }
`
const aws = `    type: aws
    aws:
      region: eu-central-1
      instanceArn: arn:aws:sso:::instance/ssoins-0123456789abcdef
      identityStoreId: d-0123456789
      credentials: { from: default }
`
/** A file with one target of a cloud. */
const cloud = (line: string, settings: string) =>
  `${good.slice(0, good.indexOf('    type: ldap'))}    ${line}\n${settings}`

const load = (yaml: string, over: Record<string, string | undefined> = {}) => {
  writeFileSync(join(directory, 'muster.yaml'), yaml)
  return loadConfig(directory, { ...env, ...over })
}
const problems = (yaml: string, over: Record<string, string | undefined> = {}): readonly string[] => {
  const loaded = load(yaml, over)
  return loaded.ok ? [] : loaded.problems.map((problem) => problemText(problem).replaceAll(directory, 'DIR'))
}

describe('a configuration that is right', () => {
  test('has its secrets resolved, its files absolute, its durations in milliseconds and careful defaults', () => {
    const loaded = load(good)
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
    const { targets, engine, kafka, sources, policyFiles } = loaded.value
    expect(targets[0]).toMatchObject({
      id: 'corp',
      mode: 'observe',
      accounts: 'create',
      expectWithin: 7_200_000,
      leaver: { unmanaged: 'remove' },
    })
    expect(targets[0]).toMatchObject({
      ldap: { bindPassword: 'from the environment', caFile: join(directory, 'ca.pem') },
    })
    expect(targets[0]?.guard).toMatchObject({
      window: 3_600_000,
      revokes: { absolute: 500, percent: 20 },
      urgentPerHour: { atLeast: 10 },
    })
    expect(engine).toMatchObject({ lease: 30_000, leaverSlo: 60_000 })
    expect(kafka).toEqual({ brokers: ['127.0.0.1:9092', 'other:9093'], tls: false, sasl: null })
    expect(sources[0]).toMatchObject({ group: 'muster' })
    expect(policyFiles).toEqual([{ path: 'policies/a.yaml', text: 'entitlements: {}\n' }])
  })

  test('may be handed to a thread as it is', () => {
    const loaded = load(good)
    if (!loaded.ok) throw new Error('not loaded')
    expect(structuredClone(loaded.value)).toEqual(loaded.value)
  })

  test('takes a secret from a file, without its line end', () => {
    writeFileSync(join(directory, 'secret'), 'from a file\n')
    const loaded = load(good.replace('env:LDAP_PASSWORD', 'file:secret'))
    expect(loaded.ok && loaded.value.targets[0]).toMatchObject({ ldap: { bindPassword: 'from a file' } })
  })
})

describe('every problem is told at once, at its place, with what to do', () => {
  test('environment and file together', () => {
    const told = problems(
      good
        .replace('id: corp', 'id: Corp')
        .replace('type: ldap', 'type: ldap\n    mode: enforced')
        .replace('env:LDAP_PASSWORD', 'hunter2'),
      {
        MUSTER_DATABASE_URL: undefined,
        MUSTER_REDIS_URL: 'http://nowhere',
        MUSTER_KAFKA_BROKERS: 'no-port',
      },
    )
    expect(told).toHaveLength(6)
    expect(told[0]).toMatch(/^MUSTER_DATABASE_URL is not set\n {4}→ the engine's own role/)
    expect(told[1]).toMatch(/^MUSTER_REDIS_URL does not read as a URL/)
    expect(told[2]).toMatch(/^MUSTER_KAFKA_BROKERS holds a broker without a port/)
    expect(told[3]).toMatch(/^DIR\/muster.yaml:5:9 id: is lower-case letters/)
    expect(told[4]).toMatch(
      /^DIR\/muster.yaml:7:11 mode is one of observe, plan, enforce\n {4}→ did you mean enforce\?/,
    )
    expect(told[5]).toMatch(
      /^DIR\/muster.yaml:13:21 bindPassword is a secret and must not be written here\n {4}→ write env:NAME or file:PATH/,
    )
    expect(told.join()).not.toContain('hunter2')
  })

  test('a reference that names nothing is one problem, not two', () => {
    expect(problems(good, { LDAP_PASSWORD: undefined })).toEqual([
      'DIR/muster.yaml:12:21 bindPassword: the environment variable LDAP_PASSWORD is not set\n    → set LDAP_PASSWORD, or name another source here',
    ])
  })

  test('a variable that is not set is told once, whatever stands around it, and a place in a list by its number', () => {
    const everywhere = new URL('../../../examples/everywhere/', import.meta.url)
    const text = readFileSync(new URL('muster.yaml', everywhere), 'utf8')
    const named = [...text.matchAll(/env:(\w+)/g)].map(([, name]) => `the environment variable ${name} is not set`)
    const loaded = loadDirectory(everywhere.pathname, {})
    const told = loaded.ok ? [] : loaded.problems.map(({ message }) => message)
    expect(told.map((message) => message.slice(message.indexOf(': ') + 2))).toEqual(named)
    expect(told.find((message) => message.includes('_AD_URL'))).toMatch(/^urls\[0\]: /)
    expect(loadPolicies(everywhere.pathname, {})).toMatchObject({
      ok: true,
      value: {
        targets: [
          { id: 'bank-ldap', type: 'ldap' },
          { id: 'bank-ad', type: 'ad' },
          { id: 'bank-entra', type: 'entra' },
          { id: 'bank-aws', type: 'aws' },
          { id: 'bank-iam', type: 'aws-iam' },
        ],
        problems: [],
      },
    })
  })

  test('policies are read without a secret, but a mistake of muster.yaml is told all the same', () => {
    const told = (yaml: string) => {
      writeFileSync(join(directory, 'muster.yaml'), yaml)
      const loaded = loadPolicies(directory, {})
      const found = loaded.ok ? loaded.value : { ...loaded, targets: [] }
      const { problems, targets } = found
      return problems.length === 0 ? targets.map(({ id }) => id) : problems.map(({ message }) => message)
    }
    const elsewhere = good.replace('cn=muster,dc=example', 'env:NOWHERE').replace('env:LDAP_PASSWORD', 'file:nowhere')
    expect(told(elsewhere)).toEqual(['corp'])
    expect(told(elsewhere.replace('file:nowhere', 'hunter2'))).toEqual([expect.stringContaining('is a secret')])
    expect(told(elsewhere.replace('{familyName}', '{familyNme}'))).toEqual([expect.stringContaining('{familyNme}')])
    expect(told(elsewhere.replace('expectWithin', 'expectWithn'))).toEqual(['unknown member "expectWithn"'])
    expect(told(elsewhere.replace('type: ldap', 'type: lpad'))).toEqual([expect.stringContaining('type')])
    expect(told(elsewhere.replace('expectWithin', 'protect: { accounts: [Administrator] }\n    expectWithin'))).toEqual(
      [expect.stringContaining('is no native id')],
    )
    expect(told(elsewhere.replace('id: corp', 'id: env:NAME'))).toEqual([
      'id: the environment variable NAME is not set',
    ])
  })

  test('policies are read without so much as a look at a secret', () => {
    writeFileSync(join(directory, 'muster.yaml'), good.replace('ldaps://ldap.example:636', 'env:LDAP_URL'))
    const asked: (string | symbol)[] = []
    const watched = new Proxy<Record<string, string>>({}, { get: (_, name) => void asked.push(name) })
    expect(loadPolicies(directory, watched).ok).toBe(true)
    expect(asked).toEqual(['LDAP_URL'])
  })

  test('a path is no reference to what the file holds', () => {
    expect(problems(good.replace('ca.pem', 'file:ca.pem'))).toEqual([
      'DIR/muster.yaml:10:15 caFile takes a path; file: would give what the file holds\n    → write the path alone, relative to this file, or env:NAME',
    ])
  })

  test('plain LDAP goes only when it is asked for in so many words', () => {
    const plain = good.replace('ldaps://ldap.example:636', 'ldap://ldap.example')
    expect(problems(plain)).toEqual([
      expect.stringMatching(/^DIR\/muster.yaml:8:5 security: ldap:\/\/ needs security: startTls/),
    ])
    expect(problems(plain.replace('caFile: ca.pem', 'security: plain'))).toEqual([])
  })

  test('an unknown member, a missing one, two targets of one name', () => {
    const target = good.slice(good.indexOf('  - id: corp'))
    const told = problems(
      `${good.replace('expectWithin: 2h', 'expectWithn: 2h').replace('      bindDn: cn=muster,dc=example\n', '')}${target}`,
    )
    expect(told).toEqual([
      'DIR/muster.yaml:7:5 unknown member "expectWithn"\n    → did you mean expectWithin?',
      expect.stringContaining('bindDn is missing'),
    ])
    expect(problems(`${good}${target}`)).toEqual([expect.stringContaining('another target has this id already')])
  })

  test('an unknown member is told with what was meant where it stands, by the kind of target', () => {
    const typing = (from: string, to: string) => problems(good.replace(from, to))
    const hint = (told: readonly string[]) => told.map((text) => text.split('→ ')[1])
    expect(hint(typing('expectWithin: 2h', 'account: expect'))).toEqual(['did you mean accounts?'])
    expect(hint(typing('attributes: {', 'attribute: {'))).toEqual(['did you mean attributes?'])
    expect(hint(typing('bindDn: cn', 'bindDN: cn'))).toContain('did you mean bindDn?')
    // Another kind of credential's.
    expect(
      hint(problems(cloud('accounts: expect', entra.replace('tokenFile: token', 'tokenFile: token, secretFil: x')))),
    ).toEqual(['see schemas/muster.schema.json for what is known here'])
    expect(hint(problems(`${good}queue: { prefx: x }\n`))).toEqual(['did you mean prefix?'])
  })

  test('what only a created account needs is asked for only where accounts are created', () => {
    const account = good.slice(good.indexOf('      account:'))
    const without = good.replace(account, '')
    expect(problems(without)).toEqual([expect.stringContaining('rdn: is missing: with accounts: create')])
    expect(problems(without.replace('expectWithin: 2h', 'accounts: expect'))).toEqual([])
    expect(problems(cloud('accounts: create', entra))).toEqual([
      expect.stringContaining('userPrincipalName: is missing: with accounts: create'),
    ])
    expect(
      problems(
        cloud(
          'accounts: create',
          `${entra}      account: { userPrincipalName: '{username}@x.example', attributes: {} }\n`,
        ),
      ),
    ).toEqual([expect.stringContaining('displayName is missing')])
  })

  test('where something else makes the accounts, nothing is mapped that is not said; what is created has what it needs', () => {
    const mapped = (accounts: string, settings: string) => {
      const loaded = load(cloud(accounts, settings))
      if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
      const [target] = loaded.value.targets
      return target?.type === 'entra'
        ? target.entra.account.attributes
        : target?.type === 'aws'
          ? target.aws.account.attributes
          : null
    }
    expect(mapped('accounts: expect', entra)).toEqual({})
    expect(mapped('accounts: expect', `${entra}      account: { mailNickname: '{username}' }\n`)).toEqual({})
    expect(
      mapped('accounts: expect', `${entra}      account: { attributes: { department: '{department}' } }\n`),
    ).toEqual({
      department: '{department}',
    })
    expect(
      mapped('accounts: create', `${entra}      account: { userPrincipalName: '{username}@x.example' }\n`),
    ).toEqual({
      displayName: '{displayName|username}',
    })
    expect(mapped('accounts: expect', aws)).toEqual({})
    expect(Object.keys(mapped('mode: observe', aws) ?? {})).toEqual(['displayName', 'givenName', 'familyName', 'email'])
  })

  test('a look-up by a name is told where its proof is said', () => {
    expect(
      problems(
        cloud('accounts: expect', `${aws}      correlation: { lookups: [{ by: userName, value: '{username}' }] }\n`),
      ),
    ).toEqual([expect.stringContaining('say `correlation.proof: employeeNumber`')])
  })

  test('nothing is to be deleted where there is nothing', () => {
    const iam = `${good.slice(0, good.indexOf('    type: ldap'))}    type: aws-iam
    leaver: { deleteAfter: 30d }
    iam:
      accountId: '123456789012'
      federation: { kind: saml, providerArn: 'arn:aws:iam::123456789012:saml-provider/Entra' }
      roles: [{ name: 'team-*' }]
`
    expect(problems(iam)).toContainEqual(expect.stringContaining('IAM roles have no accounts'))
    expect(problems(iam.replace('30d', 'null'))).toEqual([])
    expect(problems(good.replace('expectWithin: 2h', 'leaver: { deleteAfter: 30d }'))).toEqual([])
  })

  test('a name in a template that HR never tells, with the one that was meant', () => {
    const typing = (from: string, to: string) => problems(good.replace(from, to))
    expect(typing('{familyName}', '{familyNme}')).toEqual([
      'DIR/muster.yaml:15:80 sn: {familyNme} is no worker attribute\n    → did you mean familyName?',
    ])
    expect(typing('uid={username}', 'uid={usrname}')).toEqual([
      'DIR/muster.yaml:15:23 rdn: {usrname} is no worker attribute\n    → did you mean username?',
    ])
    expect(typing("'{familyName}'", "['{familyName}', '{shoeSize}']")).toEqual([
      expect.stringMatching(
        /muster.yaml:15:97 sn\[1\]: \{shoeSize\} is no worker attribute\n +→ known here: personKey, .*custom\.\*$/,
      ),
    ])
  })

  test('a duration says its unit and stays in its bounds', () => {
    expect(problems(good.replace('2h', '7200'))).toEqual([expect.stringContaining('muster.yaml:7:19 expectWithin')])
    expect(problems(good.replace('2h', '31d'))).toEqual([expect.stringContaining('must lie between 1s and 30d')])
  })

  test('what is not YAML, what is not there, no policies', () => {
    expect(problems('sources: [\n')[0]).toMatch(/^DIR\/muster.yaml:\d+:\d+ not readable as YAML/)
    expect(loadConfig(join(directory, 'nowhere'), env)).toMatchObject({
      ok: false,
      problems: [{ message: 'is not there' }],
    })
    rmSync(join(directory, 'policies'), { recursive: true })
    const least = 'examples/in-use/policies/policy.yaml'
    expect(existsSync(new URL(`../../../${least}`, import.meta.url))).toBe(true)
    expect(problems(good)).toEqual([expect.stringMatching(`^DIR/policies cannot be read \\(ENOENT\\)[^]*${least}`)])
    mkdirSync(join(directory, 'policies'))
    expect(problems(good)).toEqual([expect.stringMatching(`^DIR/policies holds no [^]*${least}`)])
  })

  test('SASL and TLS of Kafka are complete or refused', () => {
    const told = problems(good, { MUSTER_KAFKA_SASL_USERNAME: 'muster', MUSTER_KAFKA_TLS_CERT_FILE: '/nowhere.pem' })
    expect(told.map((text) => text.split('\n')[0])).toEqual([
      'MUSTER_KAFKA_TLS_CERT_FILE names a file that is not there',
      'MUSTER_KAFKA_SASL_MECHANISM is not a mechanism known here',
      'MUSTER_KAFKA_SASL_PASSWORD is not set',
    ])
  })
})

describe('accounts that are protected', () => {
  const guid = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff'
  const protecting = (account: string) => good.replace('expectWithin: 2h', `protect: { accounts: ['${account}'] }`)

  test.each([
    ['a DN', 'uid=breakglass,ou=people,dc=example'],
    ['a name', 'breakglass'],
    ['braces around an id', `{${guid}}`],
    ['a pattern', 'uid=breakglass*'],
  ])('%s is no native id of an LDAP entry: it would protect nobody, without a word', (_, account) => {
    expect(problems(protecting(guid))).toEqual([])
    expect(problems(protecting(account))).not.toEqual([])
  })
})

test('two targets that may meet in an IAM role: neither sees the other’s writing coming, whatever their statements are called', () => {
  const iam = (id: string, kind: 'saml' | 'oidc', sidPrefix: string, roles: string) => `
  - id: ${id}
    type: aws-iam
    iam:
      accountId: '123456789012'
      federation: { kind: ${kind}, providerArn: 'arn:aws:iam::123456789012:${kind}-provider/idp.example'${kind === 'oidc' ? ', audience: x' : ''} }
      roles: [{ name: '${roles}' }]
      sidPrefix: ${sidPrefix}`
  const saml = iam('by-saml', 'saml', 'MusterA', 'team-*')
  expect(problems(good + saml + iam('by-oidc', 'oidc', 'MusterB', 'ops-*'))).toEqual([])
  expect(problems(good + saml + iam('by-oidc', 'oidc', 'MusterB', 'team-a')).join()).toMatch(/roles.*by-saml/)
})
