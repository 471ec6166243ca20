/** The simulator as a process of its own, as the local stack starts it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { ClientSecretCredential } from '@azure/identity'
import { expect, onTestFinished, test } from 'vitest'
import { checkout } from '../../unit/house/tool.ts'
import { scope } from './started.ts'

type Told = Record<'url' | 'authority' | 'tenantId' | 'clientId' | 'clientSecret' | 'caFile', string>

const start = async (...flags: readonly string[]) => {
  const child = spawn(process.execPath, [join(checkout, 'simulators/graph/main.ts'), ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const [line] = await once(createInterface(child.stdout), 'line')
  return { child, told: JSON.parse(String(line)) as Told }
}

test('it tells where it is, answers, ends on SIGTERM, and is known again', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'muster-graph-process-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const { child, told } = await start('--dir', dir)
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(told.caFile, 'utf8')])
  const usersAt = async ({ url, authority, tenantId, clientId, clientSecret }: Told) => {
    const options = { authorityHost: authority, disableInstanceDiscovery: true }
    const { token } = await new ClientSecretCredential(tenantId, clientId, clientSecret, options).getToken(scope)
    return (await fetch(`${url}/v1.0/users`, { headers: { authorization: `Bearer ${token}` } })).json()
  }
  expect(await usersAt(told)).toMatchObject({ value: [] })
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
  const port = new URL(told.url).port
  const again = await start('--dir', dir, '--port', port)
  expect(again.told).toEqual(told)
  expect(await usersAt(again.told)).toMatchObject({ value: [] })
})

test.each(['x', '65536', '-1'])('a port %s is none', async (port) => {
  const child = spawn(process.execPath, [join(checkout, 'simulators/graph/main.ts'), `--port=${port}`], {
    stdio: 'ignore',
  })
  expect(await once(child, 'exit')).toEqual([2, null])
})
