import { readdirSync, readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { musterJsonSchema } from '../../../src/config/json-schema.ts'
import { secretMembers } from '../../../src/config/muster-file.ts'

const validate = new Ajv2020({ strict: false, formats: { uri: /^https?:/ } }).compile(JSON.parse(musterJsonSchema()))
const published = new URL('../../../schemas/muster.schema.json', import.meta.url)

test('the published JSON Schema is what the code reads (node src/config/write-schema.ts makes it anew)', () => {
  expect(JSON.parse(readFileSync(published, 'utf8'))).toEqual(JSON.parse(musterJsonSchema()))
})

test('it accepts references where the file may hold them, and wants one where the value is a secret', () => {
  const file = (password: string) =>
    parse(`
sources: [{ id: hr, type: kafka, topics: [hr.worker.v1] }]
targets:
  - id: corp
    type: ldap
    ldap:
      url: env:LDAP_URL
      bindDn: cn=muster,dc=example
      bindPassword: ${password}
      peopleBase: ou=people,dc=example
      groupsBase: ou=groups,dc=example
      account: { rdn: 'uid={username}' }
`)
  expect(validate(file('env:LDAP_PASSWORD')), JSON.stringify(validate.errors)).toBe(true)
  expect(validate(file('hunter2'))).toBe(false)
})

const examples = new URL('../../../examples/', import.meta.url)
test.each(readdirSync(examples))(
  'examples/%s/muster.yaml is one of these, and its editor knows where to look',
  (name) => {
    const text = readFileSync(new URL(`${name}/muster.yaml`, examples), 'utf8')
    expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true)
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../../schemas/muster.schema.json')
  },
)

test('each secret that the loader wants as a reference, the schema does', () => {
  const everywhere = parse(readFileSync(new URL('everywhere/muster.yaml', examples), 'utf8'))
  const iam = {
    id: 'iam',
    type: 'aws-iam',
    iam: {
      accountId: 'env:ACCOUNT',
      federation: { kind: 'saml', providerArn: 'env:PROVIDER' },
      roles: [{ name: 'env:ROLE' }],
      credentials: { from: 'keys', accessKeyId: 'a' },
    },
  }
  for (const member of secretMembers)
    for (const [secret, isTaken] of [
      ['env:SECRET', true],
      ['hunter2', false],
    ] as const) {
      const file = structuredClone(everywhere)
      const target = [iam, ...file.targets].find((one) => member[0] !== undefined && member[0] in one)
      file.targets = [...file.targets.filter((one: { id: string }) => one.id !== target.id), target]
      const holder = member.slice(0, -1).reduce((at, step) => at[step], target)
      if (member.at(-1) === 'secret') delete holder.secretFile
      if (holder.from === 'keys') holder.secretAccessKey = 'env:KEY'
      holder[member.at(-1) ?? ''] = secret
      expect(validate(file), `${member.join('.')} ${JSON.stringify(validate.errors)}`).toBe(isTaken)
    }
})
