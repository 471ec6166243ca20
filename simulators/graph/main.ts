/**
 * The simulator as a process: sh scripts/run.sh simulators/graph/main.ts [--port N] [--dir DIR]
 * Prints one line of JSON when it answers; ends on SIGTERM or SIGINT. What it holds is gone with it.
 */
import { parseArgs } from 'node:util'
import { startGraphSimulator } from './simulator.ts'

const { values } = parseArgs({
  options: { port: { type: 'string' }, dir: { type: 'string' }, tenant: { type: 'string' } },
})
const port = Number(values.port ?? 0)
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error('--port must be a port number')
  process.exit(2)
}
const simulator = await startGraphSimulator({
  port,
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
    clientSecret: app?.secrets?.[0],
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
