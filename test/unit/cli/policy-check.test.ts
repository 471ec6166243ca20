import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkout } from '../../../scripts/stack/download.ts'
import { muster } from '../../support/cli.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'muster-policy-check-'))
  cpSync(join(checkout, 'examples/bank'), directory, { recursive: true })
})
afterEach(() => rmSync(directory, { recursive: true }))

const env = {
  MUSTER_STACK_LDAP_URL: 'ldaps://localhost:1636',
  MUSTER_STACK_LDAP_CA_FILE: '/etc/muster/ca.pem',
  MUSTER_STACK_LDAP_SERVICE_DN: 'cn=muster',
  MUSTER_STACK_LDAP_SERVICE_PASSWORD: 'secret',
}

test('shows what implies what, pair by pair, and with which roles', async () => {
  writeFileSync(
    join(directory, 'policies/implications.yaml'),
    `implications:
  readers-abroad: { holds: CBS_ViewOnly, grants: { roles: [abroad] } }
  staff:
    mirrors:
      from: { target: bank-ldap, key: 'Staff_V*' }
      to: { target: bank-ldap, lookup: 'cn=Staff_V*,ou=groups,dc=bank,dc=example' }
roles:
  abroad: { entitlements: [Staff_Vpn] }
`,
  )
  // A mirror of something in itself is a circle.
  const circle = await muster({ directory, env }, 'policy', 'check')
  expect(circle).toMatchObject({ exit: 1, out: expect.stringContaining('Staff_Vpn → Staff_Vpn') })
  writeFileSync(
    join(directory, 'policies/implications.yaml'),
    `implications:
  readers-abroad: { holds: CBS_ViewOnly, grants: { roles: [abroad] } }
roles:
  abroad: { entitlements: [Staff_Vpn] }
`,
  )
  const { exit, out } = await muster({ directory, env }, 'policy', 'check')
  expect(exit).toBe(0)
  expect(out).toContain(', 1 implication, ')
  expect(out).toContain('implication readers-abroad:\n  CBS_ViewOnly → Staff_Vpn (through role abroad)\n')
  expect((await muster({ directory, env }, 'policy', 'check', '--json')).json()).toMatchObject({
    implications: 1,
    implied: [{ key: 'readers-abroad', pairs: [{ holds: 'CBS_ViewOnly', gives: 'Staff_Vpn', path: ['abroad'] }] }],
  })
})

const kinds = {
  'bank-ad': ['LoanEntry', 'CN=LoanEntry,OU=Groups,DC=bank,DC=example', '<GUID=6f9619ff-8b86-d011-b42d-00c04fc964ff>'],
  'bank-ldap': ['LoanEntry', 'cn=LoanEntry,ou=groups,dc=bank,dc=example'],
  'bank-entra': ['displayName:', 'displayName:Loan Entry', 'Loan Entry', '00000000-0000-0000-0000-0000000000a1'],
  'bank-aws': ['Muster_Data', 'group/Muster_Data', 'assignment/111122223333/Muster_Desk'],
  'bank-iam': ['role/apps/Muster_Desk', 'role/LoanDesk'],
}
const catalogueOf = (lookups: readonly (readonly [string, string])[]) =>
  `entitlements:\n${lookups
    .map(
      ([target, lookup], at) =>
        `  X${at}: { target: ${target}, lookup: '${lookup}', risk: low, owner: o, description: d }\n`,
    )
    .join('')}`

test('a look-up that its target cannot understand is a mistake, at its place', async () => {
  const everywhere = join(checkout, 'examples/everywhere')
  cpSync(join(everywhere, 'muster.yaml'), join(directory, 'muster.yaml'))
  rmSync(join(directory, 'policies'), { recursive: true })
  cpSync(join(everywhere, 'policies'), join(directory, 'policies'), { recursive: true })
  const check = async (lookups: readonly (readonly [string, string])[]) => {
    writeFileSync(join(directory, 'policies/x.yaml'), catalogueOf(lookups))
    return muster({ directory, env: {} }, 'policy', 'check')
  }
  const right = Object.entries(kinds).flatMap(([target, [, ...good]]) => good.map((one) => [target, one] as const))
  expect(await check(right)).toMatchObject({ exit: 0 })
  const wrong = [
    ...Object.entries(kinds).map(([target, [bad = '']]) => [target, bad] as const),
    ['bank-aws', 'assignment/1111/LoanDesk'] as const,
  ]
  const { exit, out } = await check(wrong)
  expect(exit).toBe(1)
  expect(out.match(/x\.yaml:\d+:\d+ lookup "[^"]*"/g)).toEqual(
    wrong.map(([target, lookup], at) => `x.yaml:${at + 2}:${target.length + 27} lookup "${lookup}"`),
  )
})

test('mistakes of muster.yaml hide neither those of the policies nor each other', async () => {
  const path = join(directory, 'muster.yaml')
  const text = readFileSync(path, 'utf8')
  writeFileSync(join(directory, 'policies/x.yaml'), catalogueOf([['bank-ldap', 'LoanEntry']]))
  const told = async (change: string) => {
    writeFileSync(
      path,
      text.replace(/^ {4}mode: .*$/m, (mode) => `${mode}\n    ${change}`),
    )
    return muster({ directory, env: {} }, 'policy', 'check')
  }
  const shape = await told('expectWithn: 1h')
  expect(shape).toMatchObject({ exit: 2, err: expect.stringContaining('unknown member "expectWithn"') })
  expect(shape.err).toContain('x.yaml:2:36 lookup "LoanEntry"')
  // No secret is read here, and its rules are judged all the same.
  const rule = await told('protect: { accounts: [Administrator] }')
  expect(rule).toMatchObject({ exit: 2, err: expect.stringContaining('would protect nobody') })
  expect(rule.err).toContain('lookup "LoanEntry"')
})
