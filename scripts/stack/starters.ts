/** How each part is had: from the environment, else by Docker, else from packages. */
import { join } from 'node:path'
import { awsSimulator } from './aws.ts'
import { container, copyCaFile } from './docker.ts'
import { external, externalAd, externalAws, externalGraph, externalLdap, externalUrl } from './external.ts'
import { graphSimulator } from './graph.ts'
import { coordinates, kafka } from './kafka.ts'
import { answersAws, moto, motoUrl } from './moto.ts'
import type { Ad, Aws, Control, Graph, Ldap, OnProgress, Part } from './part.ts'
import { answers, postgres, postgresUrl } from './postgres.ts'
import type { Ownership, Server } from './process.ts'
import { pong, redis } from './redis.ts'
import { samba, sambaPorts } from './samba.ts'
import { baseDn as adBaseDn, administrator, service } from './samba-domain.ts'
import { binds, slapd } from './slapd.ts'
import { baseDn, rootDn, type SlapdVariant, serviceDn } from './slapd-files.ts'

export type Found = {
  readonly brokers?: readonly string[]
  readonly databaseUrl?: string
  readonly redisUrl?: string
  readonly ldap?: Ldap
  readonly ad?: Ad
  readonly awsUrl?: string
  readonly graph?: Graph
  readonly aws?: Aws
}

/** The stack that a part is started for. */
export type Site = {
  readonly dir: string
  readonly docker: boolean
  readonly variant: SlapdVariant | undefined
  readonly entries: string | undefined
  /** Its data need not outlive the machine. */
  readonly throwaway: boolean
  readonly onProgress: OnProgress
  /** The port kept under this name; another one if somebody else has it now, unless ours already listens there. */
  port(name: string, own: Ownership): Promise<number>
  /** A loopback address kept under this name on which these ports are free. */
  address(name: string, ports: readonly number[], own: Ownership): Promise<string>
  secret(name: string): string
  /** What another part offers that this one stands on; starts it if nobody did. */
  needs(part: Part): Promise<Found>
  /** Starts our own server and notes how to control it. */
  run(part: Part, make: (own: Ownership) => Promise<Server>): Promise<void>
  note(part: Part, control: Control): void
}

export const starters: Readonly<Record<Part, (site: Site) => Promise<Found>>> = {
  async kafka(site) {
    const url = externalUrl('kafka')
    if (url !== undefined) {
      site.note('kafka', external('kafka'))
      return { brokers: url.split(',') }
    }
    let broker = ''
    await site.run('kafka', async (own) => {
      const port = await site.port('kafka', own)
      broker = `127.0.0.1:${port}`
      if (site.docker) {
        const env = { MUSTER_STACK_KAFKA_PORT: String(port) }
        return container({ part: 'kafka', dir: site.dir, env, probe: () => coordinates(broker) }, own)
      }
      const controllerPort = await site.port('kafkaController', own)
      return kafka({ dir: join(site.dir, 'kafka'), port, controllerPort }, own, site.onProgress)
    })
    return { brokers: [broker] }
  },

  async postgres(site) {
    const url = externalUrl('postgres')
    if (url !== undefined) {
      site.note('postgres', external('postgres'))
      return { databaseUrl: url }
    }
    const password = site.secret('postgres')
    let databaseUrl = ''
    await site.run('postgres', async (own) => {
      const port = await site.port('postgres', own)
      databaseUrl = postgresUrl(port, password)
      if (site.docker) {
        const env = { MUSTER_STACK_POSTGRES_PORT: String(port), MUSTER_STACK_POSTGRES_PASSWORD: password }
        return container({ part: 'postgres', dir: site.dir, env, probe: () => answers(databaseUrl) }, own)
      }
      const { throwaway } = site
      return postgres({ dir: join(site.dir, 'postgres'), port, password, throwaway }, own, site.onProgress)
    })
    return { databaseUrl }
  },

  async redis(site) {
    const url = externalUrl('redis')
    if (url !== undefined) {
      site.note('redis', external('redis'))
      return { redisUrl: url }
    }
    let redisUrl = ''
    await site.run('redis', async (own) => {
      const port = await site.port('redis', own)
      redisUrl = `redis://127.0.0.1:${port}`
      if (site.docker) {
        const env = { MUSTER_STACK_REDIS_PORT: String(port) }
        return container({ part: 'redis', dir: site.dir, env, probe: () => pong(port) }, own)
      }
      return redis({ dir: join(site.dir, 'redis'), port }, own, site.onProgress)
    })
    return { redisUrl }
  },

  async slapd(site) {
    const given = externalLdap()
    if (given !== undefined) {
      site.note('slapd', external('slapd'))
      return { ldap: given }
    }
    const secrets = { rootPassword: site.secret('ldapRoot'), servicePassword: site.secret('ldapService') }
    const docker = site.docker && site.variant === undefined // its container knows the plain slapd.conf only
    let caFile = join(site.dir, 'slapd', 'ca.pem')
    let ports = { port: 0, tlsPort: 0 }
    await site.run('slapd', async (own) => {
      ports = { port: await site.port('ldap', own), tlsPort: await site.port('ldaps', own) }
      if (docker) {
        const env = {
          MUSTER_STACK_LDAP_PORT: String(ports.port),
          MUSTER_STACK_LDAPS_PORT: String(ports.tlsPort),
          MUSTER_STACK_LDAP_ROOT_PASSWORD: secrets.rootPassword,
          MUSTER_STACK_LDAP_SERVICE_PASSWORD: secrets.servicePassword,
        }
        const probe = () => binds(`ldap://127.0.0.1:${ports.port}`, secrets.rootPassword)
        return container({ part: 'slapd', dir: site.dir, env, probe }, own)
      }
      const made = await slapd(
        {
          dir: join(site.dir, 'slapd'),
          ...ports,
          ...secrets,
          variant: { ...site.variant, throwaway: site.throwaway },
          ...(site.entries === undefined ? {} : { entries: site.entries }),
        },
        own,
        site.onProgress,
      )
      caFile = made.caFile
      return made.server
    })
    if (docker) await copyCaFile(site.dir, caFile)
    const urls = { url: `ldaps://127.0.0.1:${ports.tlsPort}`, plainUrl: `ldap://127.0.0.1:${ports.port}` }
    return { ldap: { ...urls, caFile, rootDn, serviceDn, baseDn, ...secrets } }
  },

  async samba(site) {
    const given = externalAd()
    if (given !== undefined) {
      site.note('samba', external('samba'))
      return { ad: given }
    }
    let found: Found = {}
    await site.run('samba', async (own) => {
      const address = await site.address('ad', sambaPorts, own)
      const { server, caFile, passwords } = await samba({ dir: join(site.dir, 'samba'), address }, own, site.onProgress)
      found = {
        ad: {
          url: `ldaps://${address}`,
          plainUrl: `ldap://${address}`,
          caFile,
          rootName: administrator,
          rootPassword: passwords.administrator,
          serviceName: service,
          servicePassword: passwords.service,
          baseDn: adBaseDn,
        },
      }
      return server
    })
    return found
  },

  async moto(site) {
    const url = externalUrl('moto')
    if (url !== undefined) {
      await answersAws(url)
      site.note('moto', external('moto'))
      return { awsUrl: url }
    }
    let awsUrl = ''
    await site.run('moto', async (own) => {
      const port = await site.port('moto', own)
      awsUrl = motoUrl(port)
      return moto({ dir: join(site.dir, 'moto'), port }, own, site.onProgress)
    })
    return { awsUrl }
  },
  async graph(site) {
    const given = externalGraph()
    if (given !== undefined) {
      site.note('graph', external('graph'))
      return { graph: given }
    }
    let tell = (): Graph => {
      throw new Error('not started')
    }
    await site.run('graph', async (own) => {
      const made = graphSimulator({ dir: join(site.dir, 'graph'), port: await site.port('graph', own) }, own)
      tell = made.tell
      return made.server
    })
    return { graph: tell() }
  },

  async aws(site) {
    const given = externalAws()
    if (given !== undefined) {
      site.note('aws', external('aws'))
      return { aws: given }
    }
    const { awsUrl } = await site.needs('moto')
    let tell = async (): Promise<Aws> => {
      throw new Error('not started')
    }
    await site.run('aws', async (own) => {
      const port = await site.port('aws', own)
      const made = awsSimulator({ dir: join(site.dir, 'aws'), port, moto: awsUrl ?? '' }, own)
      tell = made.tell
      return made.server
    })
    return { aws: await tell() }
  },
}
