/** Parts that somebody else runs, named by the environment. */
import type { Ad, Aws, Control, Graph, Ldap, Part } from './part.ts'
import { StackError } from './part.ts'

const variables = {
  kafka: 'MUSTER_KAFKA_BROKERS',
  postgres: 'MUSTER_STACK_POSTGRES_URL',
  redis: 'MUSTER_REDIS_URL',
  slapd: 'MUSTER_STACK_LDAP_URL',
  samba: 'MUSTER_STACK_AD_URL',
  moto: 'MUSTER_STACK_AWS_URL',
  graph: 'MUSTER_STACK_GRAPH_URL',
  aws: 'MUSTER_STACK_AWS_ENDPOINT',
} as const satisfies Record<Part, string>

export function externalUrl(part: Part): string | undefined {
  return process.env[variables[part]] || undefined
}

export function externalLdap(): Ldap | undefined {
  const url = externalUrl('slapd')
  if (url === undefined) return undefined
  const setting = settingsOf('slapd', 'MUSTER_STACK_LDAP')
  const baseDn = setting('BASE_DN', 'dc=bank,dc=example')
  return {
    url,
    baseDn,
    plainUrl: setting('PLAIN_URL', url),
    caFile: setting('CA_FILE'),
    rootDn: setting('ROOT_DN', `cn=admin,${baseDn}`),
    rootPassword: setting('ROOT_PASSWORD'),
    serviceDn: setting('SERVICE_DN', `cn=muster,ou=services,${baseDn}`),
    servicePassword: setting('SERVICE_PASSWORD'),
  }
}

export function externalAd(): Ad | undefined {
  const url = externalUrl('samba')
  if (url === undefined) return undefined
  const setting = settingsOf('samba', 'MUSTER_STACK_AD')
  return {
    url,
    baseDn: setting('BASE_DN'),
    plainUrl: setting('PLAIN_URL', url),
    caFile: setting('CA_FILE'),
    rootName: setting('ROOT_NAME'),
    rootPassword: setting('ROOT_PASSWORD'),
    serviceName: setting('SERVICE_NAME'),
    servicePassword: setting('SERVICE_PASSWORD'),
  }
}

export function externalGraph(): Graph | undefined {
  const url = externalUrl('graph')
  if (url === undefined) return undefined
  const setting = settingsOf('graph', 'MUSTER_STACK_GRAPH')
  return {
    url,
    authority: setting('AUTHORITY', url),
    tenantId: setting('TENANT'),
    clientId: setting('CLIENT_ID'),
    clientSecretFile: setting('CLIENT_SECRET_FILE'),
    caFile: setting('CA_FILE'),
  }
}

export function externalAws(): Aws | undefined {
  const endpoint = externalUrl('aws')
  if (endpoint === undefined) return undefined
  const setting = settingsOf('aws', 'MUSTER_STACK_AWS')
  return {
    endpoint,
    region: setting('REGION', 'eu-central-1'),
    identityStoreId: setting('IDENTITY_STORE_ID'),
    instanceArn: setting('INSTANCE_ARN'),
    accessKeyId: setting('ACCESS_KEY_ID'),
    secretAccessKey: setting('SECRET_ACCESS_KEY'),
  }
}

const settingsOf =
  (part: Part, prefix: string) =>
  (name: string, fallback?: string): string => {
    const value = process.env[`${prefix}_${name}`] ?? fallback
    if (value === undefined)
      throw new StackError(part, `${prefix}_${name} is not set`, `set it beside ${variables[part]}`)
    return value
  }

/** We do not control what is not ours. */
export function external(part: Part): Control {
  const refuse = async () => {
    throw new Error(`${part} comes from ${variables[part]}: it is not ours to stop or restart`)
  }
  return {
    origin: 'environment',
    pid: undefined,
    logFile: undefined,
    stop: async () => {},
    kill: refuse,
    restart: refuse,
  }
}
