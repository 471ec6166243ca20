/** node simulators/aws/main.ts MOTO-URL [PORT]: the simulator by itself, until it is ended. */
import { startSimulator } from './proxy.ts'

const [moto, port = '0'] = process.argv.slice(2)
if (moto === undefined) {
  process.stderr.write('usage: node simulators/aws/main.ts MOTO-URL [PORT]\n')
  process.exitCode = 2
} else {
  const { url, identityStoreId, instanceArn } = await startSimulator({ moto, port: Number(port) })
  process.stdout.write(`endpoint: ${url}\nidentityStoreId: ${identityStoreId}\ninstanceArn: ${instanceArn}\n`)
}
