/** The simulator without sockets: one tenant, its applications, its directory, and how to ask, watch and trouble it. */
import { randomBytes } from 'node:crypto'
import type { App } from './apps.ts'
import { type Calls, openCalls } from './calls.ts'
import { type Clock, systemClock } from './clock.ts'
import type { DeltaSettings, Domain, Tenant } from './context.ts'
import { type Fault, type Faults, openFaults } from './faults.ts'
import { type Hand, openHand } from './hand.ts'
import { type Inspector, openInspector } from './inspector.ts'
import { everyPermission } from './permissions.ts'
import { seededRandom, uuidFrom } from './random.ts'
import { makeSeal } from './seal.ts'
import { type Exchange, openService, type Service } from './service.ts'
import { openStore, type Replication, type ReplicationControl } from './store.ts'
import { documentedLimits, type Limits } from './throttle.ts'
import { type Identity, identityPlatform } from './token-endpoint.ts'
import { openTokens } from './tokens.ts'

export type GraphOptions = {
  readonly tenantId?: string
  /** Verified domains; the first is the default one. */
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
  /** Told of every request of Graph and its answer, e.g. to hold both to the schema. */
  readonly watch?: (exchange: Exchange) => void
}

export type Graph = {
  readonly service: Service
  readonly identity: Identity
  readonly calls: Calls
  readonly clock: Clock
  readonly tenant: Tenant
  readonly apps: readonly App[]
  readonly inspector: Inspector
  /** Administrators' changes from elsewhere. */
  readonly hand: Hand
  readonly faults: Faults
  readonly replication: ReplicationControl
  readonly revokeTokens: () => void
  readonly setTokenLifeMs: (ms: number) => void
  /** Empties the buckets, too. */
  readonly setLimits: (limits: Limits | null) => void
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

export const openGraph = (options: GraphOptions = {}): Graph => {
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
  const issuer = 'https://login.microsoftonline.com'
  const tokens = openTokens(randomBytes(32), tenant.id, issuer, clock, options.tokenLifeMs ?? hourMs)
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
    watch: options.watch ?? (() => {}),
  })
  return {
    service,
    identity: identityPlatform(tenant, apps, tokens, clock),
    calls,
    clock,
    tenant,
    apps,
    inspector: openInspector(store, calls),
    hand: openHand(store, tenant, clock, newId),
    faults,
    replication: store.replication,
    revokeTokens: tokens.revokeAll,
    setTokenLifeMs: tokens.setLifeMs,
    setLimits: service.setLimits,
  }
}
