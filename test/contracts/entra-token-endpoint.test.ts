/** What the token endpoint says in passing is no refusal. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type EntraWorld, openEntraWorld } from './entra-world.ts'
import { always, ensure, freshKey, said } from './world.ts'

let says = ''
vi.mock('@azure/identity', () => {
  class Credential {
    getToken(): Promise<never> {
      return Promise.reject(new Error(says))
    }
  }
  return {
    ClientSecretCredential: Credential,
    ClientCertificateCredential: Credential,
    ClientAssertionCredential: Credential,
  }
})
let world: EntraWorld
beforeAll(async () => {
  world = await openEntraWorld()
})
afterAll(async () => world?.close())

// https://learn.microsoft.com/entra/identity-platform/reference-error-codes: «retry», «throttled», «server error».
test.each([
  'AADSTS90033: A transient error has occurred. Please try again.',
  'AADSTS90055: TenantThrottlingError - There are too many incoming requests.',
  'AADSTS90006: ExternalServerRetryableError - The service is temporarily unavailable.',
  'AADSTS50196: Loop detected',
])('%s: tried again; in the bulk lane a refusal parks everything that was on its way', async (message) => {
  says = message
  const connector = world.connect()
  const outcomes = await connector.apply([ensure(world.person(freshKey()))], always)
  expect(['retry', 'throttled']).toContain(said(outcomes[0]))
  await connector.close()
})

test.each([
  'AADSTS700016: Application was not found in the directory.',
  'AADSTS7000222: The provided client secret keys are expired.',
  'AADSTS90002: Tenant not found.',
])('%s: a human must mend it', async (message) => {
  says = message
  const connector = world.connect()
  const outcomes = await connector.apply([ensure(world.person(freshKey()))], always)
  expect(outcomes.map(said)).toEqual(['refused:credential'])
  await connector.close()
})
