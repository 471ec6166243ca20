/** The simulator on its socket, trusted by this process, and every exchange held to Microsoft's schema. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { ClientSecretCredential, type TokenCredential } from '@azure/identity'
import { Client, RetryHandlerOptions } from '@microsoft/microsoft-graph-client'
import { TokenCredentialAuthenticationProvider } from '@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js'
import { expect, onTestFinished } from 'vitest'
import { violationsOf } from '../../../simulators/graph/schema/conformance.ts'
import {
  type GraphSimulator,
  type GraphSimulatorOptions,
  startGraphSimulator,
} from '../../../simulators/graph/simulator.ts'

export const scope = 'https://graph.microsoft.com/.default'

/** Ends with the test; the test fails if any exchange was not as the schema has it. */
export const started = async (options: GraphSimulatorOptions = {}): Promise<GraphSimulator> => {
  const violations: string[] = []
  const simulator = await startGraphSimulator({
    ...options,
    watch: (exchange) => {
      violations.push(...violationsOf(exchange))
    },
  })
  setDefaultCACertificates([...getCACertificates('default'), simulator.ca])
  onTestFinished(async () => {
    await simulator.close()
    expect(violations).toEqual([])
  })
  return simulator
}

export const identityOptions = ({ authority }: GraphSimulator) => ({
  authorityHost: authority,
  disableInstanceDiscovery: true,
  retryOptions: { maxRetries: 0 },
})

export const secretCredential = (simulator: GraphSimulator): ClientSecretCredential => {
  const [app] = simulator.apps
  return new ClientSecretCredential(
    simulator.tenant.id,
    app?.clientId ?? '',
    app?.secrets?.[0] ?? '',
    identityOptions(simulator),
  )
}

/** Microsoft's own client, with its own retries off. */
export const clientOf = (
  simulator: GraphSimulator,
  credential: TokenCredential = secretCredential(simulator),
): Client =>
  Client.initWithMiddleware({
    baseUrl: simulator.url,
    customHosts: new Set([simulator.host]),
    authProvider: new TokenCredentialAuthenticationProvider(credential, { scopes: [scope] }),
  })

export const noRetries = new RetryHandlerOptions(0, 0)
