/** AWS IAM Identity Center: simulators/aws as a process in front of moto. What it holds is gone when either ends. */
import { join } from 'node:path'
import { checkout } from './download.ts'
import type { Aws } from './part.ts'
import { type Ownership, type Server, server } from './process.ts'

export type AwsOptions = { readonly dir: string; readonly port: number; readonly moto: string }

const main = join(checkout, 'simulators', 'aws', 'main.ts')
/** The simulator's own; signatures are not checked, so the keys open nothing. */
const fixed = { region: 'eu-central-1', accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'not-a-secret' }

export function awsSimulator(
  { dir, port, moto }: AwsOptions,
  own: Ownership,
): { server: Server; tell: () => Promise<Aws> } {
  const logFile = join(dir, 'aws.log')
  const endpoint = `http://127.0.0.1:${port}`
  const tell = async (): Promise<Aws> => {
    const answer = await fetch(`${endpoint}/_simulator/instance`)
    const { identityStoreId, instanceArn } = (await answer.json()) as Readonly<Record<string, string>>
    if (!answer.ok || identityStoreId === undefined || instanceArn === undefined)
      throw new Error(`it answered ${answer.status}`)
    return { endpoint, ...fixed, identityStoreId, instanceArn }
  }
  const one = server(
    {
      part: 'aws',
      command: [process.execPath, main, moto, String(port)],
      cwd: dir,
      logFile,
      stopSignal: 'SIGTERM',
      probe: tell,
      todo: `look at ${logFile}; or set MUSTER_STACK_AWS_ENDPOINT`,
    },
    own,
  )
  return { server: one, tell }
}
