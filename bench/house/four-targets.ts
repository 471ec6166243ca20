/** Active Directory, Entra ID and AWS beside the directory: real Samba, and the simulators as processes of their own. */

import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { CreateGroupCommand, IdentitystoreClient } from '@aws-sdk/client-identitystore'
import { ClientSecretCredential } from '@azure/identity'
import { Client as GraphClient } from '@microsoft/microsoft-graph-client'
import { TokenCredentialAuthenticationProvider } from '@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js'
import { Client } from 'ldapts'
import type { Aws, Graph } from '../../scripts/stack/part.ts'
import type { Stack } from '../../scripts/stack/stack.ts'
import { type BenchStack, freshName } from './bench-stack.ts'
import type { Beside } from './ground.ts'

export type FourTargets = {
  readonly stack: Stack
  readonly beside: Beside
  /** DN, id and id of the one group that everybody is in. */
  readonly adGroup: string
  readonly entraGroup: string
  readonly awsGroup: string
  readonly entra: GraphClient
  readonly aws: IdentitystoreClient
  readonly close: () => Promise<void>
}

/** Far above what one person at a time needs: quotas are another row's matter. */
const unthrottled = 10_000

export const openFourTargets = async (bench: BenchStack): Promise<FourTargets> => {
  const stack = await bench.withParts('everywhere', ['samba', 'graph', 'aws'])
  try {
    const { ad } = stack
    await fetch(`${stack.aws.endpoint}/_simulator/calls-per-second`, {
      method: 'POST',
      body: JSON.stringify({ callsPerSecond: unthrottled }),
    })
    const name = freshName()
    const adGroup = `CN=${name},OU=Groups,${ad.baseDn}`
    const root = new Client({ url: ad.plainUrl, timeout: 20_000 })
    await root.bind(ad.rootName, ad.rootPassword)
    await root.add(adGroup, { objectClass: 'group' })
    await root.unbind()
    const entra = openGraphClient(stack.graph)
    const made: { readonly id: string } = await entra
      .api('/groups')
      .post({ displayName: name, mailNickname: name, mailEnabled: false, securityEnabled: true })
    const aws = openIdentityStore(stack.aws)
    const { identityStoreId: IdentityStoreId } = stack.aws
    const { GroupId = '' } = await aws.send(new CreateGroupCommand({ IdentityStoreId, DisplayName: name }))
    return {
      stack,
      adGroup,
      entraGroup: made.id,
      awsGroup: GroupId,
      entra,
      aws,
      beside: {
        targets: targetsOf(stack),
        entitlements: {
          InAd: { target: 'bank-ad', lookup: adGroup },
          InEntra: { target: 'bank-entra', lookup: `displayName:${name}` },
          InAws: { target: 'bank-aws', lookup: `group/${name}` },
        },
        env: {
          BENCH_AD_PASSWORD: ad.servicePassword,
          BENCH_AWS_SECRET: stack.aws.secretAccessKey,
          NODE_EXTRA_CA_CERTS: stack.graph.caFile,
        },
      },
      close: async () => {
        aws.destroy()
        await stack.stop({ discard: true })
      },
    }
  } catch (error) {
    await stack.stop({ discard: true })
    throw error
  }
}

/** As they come, but for the quotas, and for asking Graph's replicas, which do not lag here, again at once. */
const targetsOf = ({ ad, graph, aws }: Stack): Beside['targets'] => [
  {
    id: 'bank-ad',
    type: 'ad',
    ad: {
      urls: [ad.url],
      caFile: ad.caFile,
      bindName: ad.serviceName,
      bindPassword: 'env:BENCH_AD_PASSWORD',
      peopleBase: `OU=People,${ad.baseDn}`,
      groupsBase: `OU=Groups,${ad.baseDn}`,
      account: {
        rdn: 'CN={displayName}',
        sAMAccountName: '{username}',
        userPrincipalName: '{username}@corp.bank.example',
        attributes: { sn: '{familyName}', givenName: '{givenName}', displayName: '{displayName}' },
      },
    },
  },
  {
    id: 'bank-entra',
    type: 'entra',
    entra: {
      tenant: graph.tenantId,
      clientId: graph.clientId,
      credential: { kind: 'secret', secretFile: graph.clientSecretFile },
      cloud: { graph: graph.url, authority: graph.authority },
      account: {
        userPrincipalName: '{username}@bank.example',
        attributes: { displayName: '{displayName}', givenName: '{givenName}', surname: '{familyName}' },
      },
      settle: { pollMs: 100 },
    },
  },
  {
    id: 'bank-aws',
    type: 'aws',
    aws: {
      region: aws.region,
      instanceArn: aws.instanceArn,
      identityStoreId: aws.identityStoreId,
      endpoint: aws.endpoint,
      credentials: { from: 'keys', accessKeyId: aws.accessKeyId, secretAccessKey: 'env:BENCH_AWS_SECRET' },
      callsPerSecond: { identityStore: unthrottled, ssoAdmin: unthrottled },
    },
  },
]

/** Microsoft's own client, as it comes. */
const openGraphClient = (graph: Graph): GraphClient => {
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(graph.caFile, 'utf8')])
  const credential = new ClientSecretCredential(
    graph.tenantId,
    graph.clientId,
    readFileSync(graph.clientSecretFile, 'utf8').trim(),
    { authorityHost: graph.authority, disableInstanceDiscovery: true },
  )
  return GraphClient.initWithMiddleware({
    baseUrl: graph.url,
    customHosts: new Set([new URL(graph.url).hostname]),
    authProvider: new TokenCredentialAuthenticationProvider(credential, {
      scopes: ['https://graph.microsoft.com/.default'],
    }),
  })
}

/** AWS's own client, as it comes. */
const openIdentityStore = ({ endpoint, region, accessKeyId, secretAccessKey }: Aws): IdentitystoreClient =>
  new IdentitystoreClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } })
