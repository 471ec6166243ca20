/** What an operation is given: who asks for what, and the copies of the directory that it may look at. */
import type { Answer } from './answer.ts'
import type { Directory } from './directory.ts'
import type { Change } from './entry.ts'
import type { Query } from './query.ts'
import type { Store } from './store.ts'

export type Caller = {
  readonly appId: string
  /** Application permissions, as in the token's `roles`. */
  readonly roles: ReadonlySet<string>
  /** The application also holds an Entra role, so that it may write administrators. */
  readonly mayWriteAdministrators: boolean
}

export type Domain = { readonly name: string; readonly federated?: boolean }
export type Tenant = { readonly id: string; readonly displayName: string; readonly domains: readonly Domain[] }

export type Paging = { readonly defaultPage: number }
export type DeltaSettings = {
  /** Objects on a page, and entries of the change log behind one. */
  readonly pageObjects: number
  /** Members of one group on a page; more, and the group comes again. */
  readonly pageMembers: number
  readonly tokenLifeMs: number
  /** A delta link tells so many of the last changes again. */
  readonly replay: number
}

export type Context = {
  readonly store: Store
  readonly tenant: Tenant
  readonly caller: Caller
  readonly query: Query
  /** Values of the path's {…}, decoded. */
  readonly path: Readonly<Record<string, string>>
  /** `/v1.0/…` as asked for. */
  readonly pathname: string
  /** https://host:port, as the client calls us. */
  readonly origin: string
  readonly body: Readonly<Record<string, unknown>>
  readonly isAdvanced: boolean
  readonly epochMs: number
  readonly newId: () => string
  readonly seal: (value: unknown) => string
  readonly unseal: (token: string) => unknown
  readonly delta: DeltaSettings
  /** The copy that this read sees. */
  readonly read: Directory
}

/** What a write comes to: nothing changed unless it says so. */
export type Decision = { readonly answer: Answer; readonly changes: readonly Change[] }

export const refuse = (answer: Answer): Decision => ({ answer, changes: [] })
export const may = (caller: Caller, ...anyOf: readonly string[]): boolean =>
  anyOf.some((role) => caller.roles.has(role))
