import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { certificates } from '../../../../scripts/stack/certificates.ts'
import { entraSettingsSchema } from '../../../../src/connectors/entra/config.ts'
import { credentialProblem, tokenTrouble } from '../../../../src/connectors/entra/token-trouble.ts'

const dir = mkdtempSync(join(tmpdir(), 'muster-token-'))
const server = createServer((_, response) => response.end())
let authority: string
beforeAll(async () => {
  const { certFile, keyFile } = await certificates(dir)
  server.setSecureContext({ cert: readFileSync(certFile), key: readFileSync(keyFile) })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  authority = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  await new Promise((closed) => server.close(closed))
  rmSync(dir, { recursive: true, force: true })
})

const settings = (credential: Readonly<Record<string, unknown>>) =>
  entraSettingsSchema.parse({
    tenant: '84841066-274d-4ec0-a5c1-276be684bdd3',
    clientId: '9a3d526c-b3c1-4479-ba74-197b5c5751ae',
    credential,
    cloud: { graph: authority, authority },
    account: { userPrincipalName: '{username}@contoso.com' },
  })

test('an authority that is not trusted here is told as that, with what makes it so', async () => {
  const given = settings({ kind: 'secret', secret: 'x' })
  expect(await tokenTrouble(given, new AbortController().signal)).toEqual([
    expect.stringMatching(
      /^the certificate of https:\/\/127\.0\.0\.1:\d+ is not trusted here \([A-Z_]+\): NODE_EXTRA_CA_CERTS names/,
    ),
  ])
})

test.each([
  [{ kind: 'federated' }, 'tokenFile'],
  [{ kind: 'certificate' }, 'certificateFile'],
  [{ kind: 'secret' }, 'secretFile'],
])('the file of %j that cannot be read is named; what it holds never is', async (credential, member) => {
  const path = join(dir, member)
  const at = settings({ ...credential, [member]: path })
  expect(await credentialProblem(at)).toBe(`credential.${member}: ${path} cannot be read (ENOENT)`)
  writeFileSync(path, ' \n')
  expect(await credentialProblem(at)).toBe(`credential.${member}: ${path} is empty`)
  writeFileSync(path, 'hunter2')
  expect(await credentialProblem(at)).toBeNull()
})
