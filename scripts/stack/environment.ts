import type { Found } from './starters.ts'

/** The variables that name what was found, for the engine, the tests and people. */
export function environment(found: Found): Record<string, string> {
  const { ad, aws, graph, ldap } = found
  const all: Record<string, string | undefined> = {
    MUSTER_KAFKA_BROKERS: found.brokers?.join(','),
    MUSTER_STACK_POSTGRES_URL: found.databaseUrl,
    MUSTER_REDIS_URL: found.redisUrl,
    MUSTER_STACK_LDAP_URL: ldap?.url,
    MUSTER_STACK_LDAP_PLAIN_URL: ldap?.plainUrl,
    MUSTER_STACK_LDAP_CA_FILE: ldap?.caFile,
    MUSTER_STACK_LDAP_ROOT_DN: ldap?.rootDn,
    MUSTER_STACK_LDAP_ROOT_PASSWORD: ldap?.rootPassword,
    MUSTER_STACK_LDAP_SERVICE_DN: ldap?.serviceDn,
    MUSTER_STACK_LDAP_SERVICE_PASSWORD: ldap?.servicePassword,
    MUSTER_STACK_LDAP_BASE_DN: ldap?.baseDn,
    MUSTER_STACK_AD_URL: ad?.url,
    MUSTER_STACK_AD_PLAIN_URL: ad?.plainUrl,
    MUSTER_STACK_AD_CA_FILE: ad?.caFile,
    MUSTER_STACK_AD_ROOT_NAME: ad?.rootName,
    MUSTER_STACK_AD_ROOT_PASSWORD: ad?.rootPassword,
    MUSTER_STACK_AD_SERVICE_NAME: ad?.serviceName,
    MUSTER_STACK_AD_SERVICE_PASSWORD: ad?.servicePassword,
    MUSTER_STACK_AD_BASE_DN: ad?.baseDn,
    MUSTER_STACK_AWS_URL: found.awsUrl,
    MUSTER_STACK_AWS_ENDPOINT: aws?.endpoint,
    MUSTER_STACK_AWS_REGION: aws?.region,
    MUSTER_STACK_AWS_IDENTITY_STORE_ID: aws?.identityStoreId,
    MUSTER_STACK_AWS_INSTANCE_ARN: aws?.instanceArn,
    MUSTER_STACK_AWS_ACCESS_KEY_ID: aws?.accessKeyId,
    MUSTER_STACK_AWS_SECRET_ACCESS_KEY: aws?.secretAccessKey,
    MUSTER_STACK_GRAPH_URL: graph?.url,
    MUSTER_STACK_GRAPH_AUTHORITY: graph?.authority,
    MUSTER_STACK_GRAPH_TENANT: graph?.tenantId,
    MUSTER_STACK_GRAPH_CLIENT_ID: graph?.clientId,
    MUSTER_STACK_GRAPH_CLIENT_SECRET_FILE: graph?.clientSecretFile,
    MUSTER_STACK_GRAPH_CA_FILE: graph?.caFile,
  }
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
