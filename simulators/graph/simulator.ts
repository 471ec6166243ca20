/** The simulator on a socket: TLS on loopback, Graph and the token endpoint at one address. See README.md. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { certificates } from '../../scripts/stack/certificates.ts'
import { type Graph, type GraphOptions, openGraph } from './graph.ts'
import { serve } from './server.ts'

export type GraphSimulatorOptions = GraphOptions & {
  /** Where certificate files are kept. Default: a temporary directory that `close` removes. */
  readonly dir?: string
  /** Default: any free one. */
  readonly port?: number
}

export type GraphSimulator = Omit<Graph, 'service' | 'identity' | 'calls' | 'clock'> & {
  /** https://127.0.0.1:port; Graph is below /v1.0. */
  readonly url: string
  /** The authority host for @azure/identity: the same address. */
  readonly authority: string
  readonly tokenUrl: string
  /** For `customHosts` of the official client. */
  readonly host: string
  readonly port: number
  /** Of the authority that signed the server's certificate. */
  readonly caFile: string
  readonly ca: string
  readonly close: () => Promise<void>
}

export const startGraphSimulator = async (options: GraphSimulatorOptions = {}): Promise<GraphSimulator> => {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'muster-graph-'))
  mkdirSync(dir, { recursive: true })
  const tls = await certificates(dir)
  const { service, identity, calls, clock, ...graph } = openGraph(options)
  const { faults } = graph
  const watch = options.watch ?? (() => {})
  const serving = await serve({ service, identity, faults, calls, clock, tls, port: options.port ?? 0, watch })
  const url = `https://127.0.0.1:${serving.port}`
  return {
    ...graph,
    url,
    authority: url,
    tokenUrl: `${url}/${graph.tenant.id}/oauth2/v2.0/token`,
    host: '127.0.0.1',
    port: serving.port,
    caFile: tls.caFile,
    ca: readFileSync(tls.caFile, 'utf8'),
    close: async () => {
      await serving.close()
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true })
    },
  }
}
