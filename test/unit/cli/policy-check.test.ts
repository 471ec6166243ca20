import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
