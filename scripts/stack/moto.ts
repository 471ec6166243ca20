/**
 * moto, a server that keeps AWS's state: identitystore, sso-admin, iam, sts. What it lacks or gets wrong, simulators/aws
 * in front of it supplies. Its data is gone when it ends.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type OnProgress, StackError } from './part.ts'
import { type Ownership, type Server, server } from './process.ts'
import { pythonPackages } from './python.ts'
import { findProgram } from './run-tool.ts'

export type MotoOptions = { readonly dir: string; readonly port: number }

const release = 'moto-5.2.5'
const todo = 'install Python 3.11 or newer with venv (Debian: python3-venv), or set MUSTER_STACK_AWS_URL'

export async function moto(options: MotoOptions, own: Ownership, onProgress: OnProgress): Promise<Server> {
  const { dir, port } = options
  const python = findProgram('python3')
  if (python === undefined) throw new StackError('moto', 'there is no python3', todo)
  onProgress({ part: 'moto', text: 'fetching' })
  const packages = await motoPackages().catch((error: unknown) => {
    throw new StackError('moto', `its packages could not be fetched: ${error}`, todo)
  })
  const logFile = join(dir, 'moto.log')
  const url = motoUrl(port)
  return server(
    {
      part: 'moto',
      // -S: nothing that this machine has installed.
      command: [python, '-S', '-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
      // It must not look for credentials of this machine's owner.
      env: {
        PYTHONPATH: packages,
        AWS_ACCESS_KEY_ID: 'moto',
        AWS_SECRET_ACCESS_KEY: 'moto',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
      cwd: dir,
      logFile,
      stopSignal: 'SIGTERM',
      probe: () => answersAws(url),
      todo: `look at ${logFile}; ${todo}`,
    },
    own,
  )
}

/** The directory of moto's packages, botocore's service models among them. */
export const motoPackages = (): Promise<string> =>
  pythonPackages(release, readFileSync(join(import.meta.dirname, `${release}.requirements`), 'utf8'))

export const motoUrl = (port: number): string => `http://127.0.0.1:${port}`

/** Rejects unless it answers as moto does. */
export async function answersAws(url: string): Promise<void> {
  const answer = await fetch(`${url}/moto-api/data.json`)
  await answer.arrayBuffer()
  if (!answer.ok) throw new Error(`moto answered ${answer.status}`)
}
