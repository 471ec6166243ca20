/** The Graph simulator with its documented limits, and the engine's connector before it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { type GraphSimulator, startGraphSimulator } from '../../simulators/graph/simulator.ts'
import type { Connector } from '../../src/connectors/connector.ts'
import { type EntraSettings, entraSettingsSchema } from '../../src/connectors/entra/config.ts'
import { createEntraConnector } from '../../src/connectors/entra/connector.ts'
import type { NativeId, TargetId } from '../../src/domain/ids.ts'
import type { BenchStack } from './bench-stack.ts'
import type { ScaledTime } from './scaled-time.ts'

export type GraphHouse = {
  readonly graph: GraphSimulator
  readonly connector: Connector
  readonly settings: EntraSettings
  readonly time: ScaledTime
  readonly addUsers: (count: number) => readonly NativeId[]
  readonly addGroup: (name: string) => NativeId
  readonly close: () => Promise<void>
}

export const openGraphHouse = async ({ stack }: BenchStack, time: ScaledTime): Promise<GraphHouse> => {
  const dir = mkdtempSync(join(stack.dir, 'graph-'))
  const graph = await startGraphSimulator({ dir, clock: { epochMs: Date.now, monotonicMs: time.now } })
  setDefaultCACertificates([...getCACertificates('default'), graph.ca])
  const [app] = graph.apps
  const secretFile = join(dir, 'secret')
  writeFileSync(secretFile, `${app?.secrets?.[0]}\n`)
  const settings = entraSettingsSchema.parse({
    tenant: graph.tenant.id,
    clientId: app?.clientId,
    credential: { kind: 'secret', secretFile },
    cloud: { graph: graph.url, authority: graph.authority },
    tenantSize: 'large',
    account: {
      userPrincipalName: '{username}@bank.example',
      attributes: { displayName: '{displayName}', givenName: '{givenName}', surname: '{familyName}' },
    },
  })
  const connector = createEntraConnector('bank-entra' as TargetId, settings, {
    lane: 'bulk',
    giveWay: async () => {},
    budget: time.budget('bulk'),
    now: Date.now,
  })
  return {
    graph,
    connector,
    settings,
    time,
    addUsers: (count) =>
      Array.from(
        { length: count },
        (_, i) => graph.hand.addUser({ employeeId: `P-${i}`, userPrincipalName: `u${i}@bank.example` }) as NativeId,
      ),
    addGroup: (name) => graph.hand.addGroup({ displayName: name }) as NativeId,
    close: async () => {
      await connector.close()
      await graph.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
