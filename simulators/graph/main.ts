/**
 * The simulator as a process: sh scripts/run.sh simulators/graph/main.ts [--port N] [--dir DIR]
 * Prints one line of JSON when it answers; ends on SIGTERM or SIGINT. What it holds is gone with it.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { defaultApp } from './graph.ts'
import { startGraphSimulator } from './simulator.ts'

const { values } = parseArgs({
  options: { port: { type: 'string' }, dir: { type: 'string' }, tenant: { type: 'string' } },
})
const port = Number(values.port ?? 0)
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error('--port must be a port number')
  process.exit(2)
}
const secret = secretIn(values.dir)
const simulator = await startGraphSimulator({
  port,
  apps: [{ ...defaultApp, secrets: [secret] }],
  ...(values.dir === undefined ? {} : { dir: values.dir }),
  ...(values.tenant === undefined ? {} : { tenantId: values.tenant }),
})
const [app] = simulator.apps
console.log(
  JSON.stringify({
    url: simulator.url,
    authority: simulator.authority,
    tenantId: simulator.tenant.id,
    clientId: app?.clientId,
    clientSecret: secret,
    caFile: simulator.caFile,
  }),
)
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    simulator.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  })

/** Kept with the certificate, so that a restart takes the same one. */
function secretIn(dir: string | undefined): string {
  const file = dir === undefined ? undefined : join(dir, 'client-secret')
  if (file !== undefined && existsSync(file)) return readFileSync(file, 'utf8')
  const made = randomBytes(24).toString('base64url')
  if (dir !== undefined && file !== undefined) {
    mkdirSync(dir, { recursive: true })
    writeFileSync(file, made, { mode: 0o600 })
  }
  return made
}
