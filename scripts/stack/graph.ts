/** Microsoft Graph with its token endpoint: simulators/graph as a process. What it holds is gone when it ends. */
import { readFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { checkout } from './download.ts'
import { type Graph, StackError } from './part.ts'
import { type Ownership, type Server, server } from './process.ts'

export type GraphOptions = { readonly dir: string; readonly port: number }

const main = join(checkout, 'simulators', 'graph', 'main.ts')
const todo = 'set MUSTER_STACK_GRAPH_URL to one of yours'

export function graphSimulator({ dir, port }: GraphOptions, own: Ownership): { server: Server; tell: () => Graph } {
  const logFile = join(dir, 'graph.log')
  const url = `https://127.0.0.1:${port}`
  /** Its one line of JSON; earlier runs in this directory left theirs above. */
  const tell = (): Graph => {
    const line = readFileSync(logFile, 'utf8')
      .split('\n')
      .findLast((text) => text.startsWith('{') && text.includes(`"${url}"`))
    if (line === undefined) throw new StackError('graph', `it has not told its address; look at ${logFile}`, todo)
    const told = JSON.parse(line) as Readonly<Record<string, string>>
    const word = (name: string): string => told[name] ?? ''
    return {
      url,
      authority: word('authority'),
      tenantId: word('tenantId'),
      clientId: word('clientId'),
      clientSecretFile: join(dir, 'client-secret'),
      caFile: word('caFile'),
    }
  }
  const probe = async () => {
    const { tenantId, caFile } = tell()
    await answersTls(`${url}/${tenantId}/v2.0/.well-known/openid-configuration`, caFile)
  }
  const one = server(
    {
      part: 'graph',
      command: [process.execPath, main, '--port', String(port), '--dir', dir],
      cwd: dir,
      logFile,
      stopSignal: 'SIGTERM',
      probe,
      todo: `look at ${logFile}; ${todo}`,
    },
    own,
  )
  return { server: one, tell }
}

function answersTls(url: string, caFile: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(url, { ca: readFileSync(caFile) }, (response) => {
      response.resume()
      if (response.statusCode === 200) resolve()
      else reject(new Error(`it answered ${response.statusCode}`))
    })
    request.once('error', reject)
  })
}
