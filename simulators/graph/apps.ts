/** Registered applications and how they prove who they are. */
export type App = {
  readonly clientId: string
  readonly roles: readonly string[]
  readonly secrets?: readonly string[]
  /** Registered certificates, PEM. */
  readonly certificates?: readonly string[]
  /** Trusted workload identities: whose assertion is taken, proved by `publicKey` (PEM). */
  readonly federated?: readonly Federated[]
  /** Holds an Entra role that lets it write administrators. */
  readonly mayWriteAdministrators?: boolean
}
export type Federated = {
  readonly issuer: string
  readonly subject: string
  /** As Entra recommends it, if not said otherwise: api://AzureADTokenExchange. */
  readonly audience?: string
  readonly publicKey: string
}
