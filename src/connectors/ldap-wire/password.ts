import type { ConnectionSettings } from './connection.ts'
import { type Failure, failed, ok, type Result, secretUnreadable } from './errors.ts'

/** The password to bind with now, or why there is none. */
export type Password = {
  readonly now: () => Promise<Result<string>>
  /** The directory did not let us in with it. */
  readonly refused: (password: string, failure: Failure) => void
}

/** So long a password that was refused is not tried again, ms: each try counts against a lockout of the service account. */
const refusedForMs = 60_000

/** One for all connections of a connector. Another password is tried at once. */
export const createPassword = (
  { bindPassword, currentPassword }: ConnectionSettings,
  clock: () => number = () => performance.now(),
): Password => {
  let last: { readonly password: string; readonly failure: Failure; readonly until: number } | undefined
  return {
    now: async () => {
      let password: string
      try {
        password = (await currentPassword?.()) ?? bindPassword
      } catch {
        return failed(secretUnreadable)
      }
      return last?.password === password && clock() < last.until ? failed(last.failure) : ok(password)
    },
    refused: (password, failure) => {
      last = { password, failure, until: clock() + refusedForMs }
    },
  }
}
