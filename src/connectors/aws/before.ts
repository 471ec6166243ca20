import type { Result } from '../aws-wire/errors.ts'

export type GroupShown = {
  readonly id: string
  readonly name: string
  /** What an identity provider calls it that has brought it by SCIM. */
  readonly externalIds: readonly { readonly issuer: string; readonly id: string }[]
}

/** Reads of one call, made before it changes anything: what several of its operations ask for is asked once. Never a proof. */
export type Before = {
  /** User id → group id → membership id. */
  readonly memberships: Map<string, Promise<Result<ReadonlyMap<string, string>>>>
  /** Group id → what it is called; null: there is none. */
  readonly groups: Map<string, Promise<Result<GroupShown | null>>>
}

export const nothingRead = (): Before => ({ memberships: new Map(), groups: new Map() })

/** `reads` undefined: read anew each time. */
export const once = <T>(reads: Map<string, T> | undefined, key: string, read: () => T): T => {
  const known = reads?.get(key)
  if (known !== undefined) return known
  const reading = read()
  reads?.set(key, reading)
  return reading
}
