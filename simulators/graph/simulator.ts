/** A simulator of the part of Microsoft Graph v1.0 that Muster uses, with the token endpoint beside it. See README.md. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { certificates } from '../../scripts/stack/certificates.ts'
import type { App } from './apps.ts'
import { openCalls } from './calls.ts'
import { type Clock, systemClock } from './clock.ts'
import type { DeltaSettings, Domain, Tenant } from './context.ts'
import { type Fault, type Faults, openFaults } from './faults.ts'
import { type Hand, openHand } from './hand.ts'
import { type Inspector, openInspector } from './inspector.ts'
import { everyPermission } from './permissions.ts'
import { seededRandom, uuidFrom } from './random.ts'
import { makeSeal } from './seal.ts'
import { serve } from './server.ts'
import { openService } from './service.ts'
import { openStore, type Replication, type ReplicationControl } from './store.ts'
import { documentedLimits, type Limits } from './throttle.ts'
import { identityPlatform } from './token-endpoint.ts'
import { openTokens } from './tokens.ts'

export type GraphSimulatorOptions = {
  /** Where certificate files are kept. Default: a temporary directory that `close` removes. */
  readonly dir?: string
  /** Default: any free one. */
  readonly port?: number
  readonly tenantId?: string
  readonly domains?: readonly Domain[]
  /** Default: one application with a secret and every permission. */
  readonly apps?: readonly App[]
  /** How long an access token is good for, ms. Default one hour. */
  readonly tokenLifeMs?: number
  /** null: nothing is throttled. Default: the documented limits of a tenant with more than 500 users. */
  readonly limits?: Limits | null
  readonly replication?: Partial<Replication>
  readonly delta?: Partial<DeltaSettings>
  readonly faults?: readonly Fault[]
  readonly clock?: Clock
  /** The same seed makes the same ids and the same choices. Default: by chance. */
  readonly seed?: number
  /** How many calls the inspector keeps; it counts them all. */
  readonly keepCalls?: number
}

export type GraphSimulator = {
  /** https://127.0.0.1:port; Graph is below /v1.0. */
  readonly url: string
  /** The authority host for @azure/identity: the same address. */
  readonly authority: string
  readonly tokenUrl: string
  /** For `customHosts` of the official client. */
  readonly host: string
  readonly port: number
  readonly tenant: Tenant
  readonly apps: readonly App[]
  /** Of the authority that signed the server's certificate. */
  readonly caFile: string
  readonly ca: string
  readonly inspector: Inspector
  /** Administrators' changes from elsewhere. */
  readonly hand: Hand
  readonly faults: Faults
  readonly replication: ReplicationControl
  readonly revokeTokens: () => void
  readonly setTokenLifeMs: (ms: number) => void
  /** Empties the buckets, too. */
  readonly setLimits: (limits: Limits | null) => void
  readonly close: () => Promise<void>
}

export const defaultTenantId = '84841066-274d-4ec0-a5c1-276be684bdd3'
export const defaultApp: App = {
  clientId: '9a3d526c-b3c1-4479-ba74-197b5c5751ae',
  secrets: ['not-a-secret-of-anything-real'],
  roles: everyPermission,
}
const defaultDomains: readonly Domain[] = [{ name: 'bank.example' }, { name: 'contoso.onmicrosoft.com' }]
const hourMs = 3_600_000
const noLag: Replication = { lagMs: 0, indexLagMs: 0, freshShare: 0 }
const defaultDelta: DeltaSettings = { pageObjects: 200, pageMembers: 1_000, tokenLifeMs: 7 * 24 * hourMs, replay: 0 }

export const startGraphSimulator = async (options: GraphSimulatorOptions = {}): Promise<GraphSimulator> => {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'muster-graph-'))
  mkdirSync(dir, { recursive: true })
  const tls = await certificates(dir)
  const clock = options.clock ?? systemClock
  const random = seededRandom(options.seed ?? randomBytes(4).readUInt32BE())
  const newId = () => uuidFrom(random)
  const tenant: Tenant = {
    id: options.tenantId ?? defaultTenantId,
    displayName: 'Bank',
    domains: options.domains ?? defaultDomains,
  }
  const apps = options.apps ?? [defaultApp]
  const store = openStore(clock, random, { ...noLag, ...options.replication })
  const calls = openCalls(options.keepCalls ?? 20_000)
  const faults = openFaults()
  faults.plan(...(options.faults ?? []))
  const tokens = openTokens(
    randomBytes(32),
    tenant.id,
    'https://login.microsoftonline.com',
    clock,
    options.tokenLifeMs ?? hourMs,
  )
  const service = openService({
    tenant,
    apps,
    store,
    tokens,
    faults,
    calls,
    clock,
    sealing: makeSeal(randomBytes(32)),
    delta: { ...defaultDelta, ...options.delta },
    limits: options.limits === undefined ? documentedLimits : options.limits,
    newId,
  })
  const identity = identityPlatform(tenant, apps, tokens, clock)
  const serving = await serve({ service, identity, faults, calls, clock, tls, port: options.port ?? 0 })
  const url = `https://127.0.0.1:${serving.port}`
  return {
    url,
    authority: url,
    tokenUrl: `${url}/${tenant.id}/oauth2/v2.0/token`,
    host: '127.0.0.1',
    port: serving.port,
    tenant,
    apps,
    caFile: tls.caFile,
    ca: readFileSync(tls.caFile, 'utf8'),
    inspector: openInspector(store, calls),
    hand: openHand(store, tenant, clock, newId),
    faults,
    replication: store.replication,
    revokeTokens: tokens.revokeAll,
    setTokenLifeMs: tokens.setLifeMs,
    setLimits: service.setLimits,
    close: async () => {
      await serving.close()
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true })
    },
  }
}
