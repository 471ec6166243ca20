/** What a call is signed with. */
export type Credentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

/** Where credentials come from. */
export type Source = {
  /** `isRefused`: AWS does not take what came last, so that nothing kept counts. */
  readonly obtain: (isRefused: boolean) => Promise<Credentials>
  /** They stand in files: nobody else decides when one has changed. */
  readonly isReadEachTime: boolean
}

/** What all clients of a connector sign with. */
export type SignIn = {
  /** The SDK's clients ask it before each call, and keep nothing of it themselves. */
  readonly credentials: (() => Promise<Credentials>) & { readonly memoized: true }
  /** What a call that begins now is signed with, but for files that have changed since. */
  readonly current: () => Promise<Credentials>
  /** AWS did not take what a call was begun with: whether there is something else now to try it with. */
  readonly others: (refused: Credentials) => Promise<boolean>
}

/** So long before its end a session is followed by another: what the SDK itself does. */
const aheadMs = 300_000

/** What was new when it was refused is not mended by another that is new: so long none is asked for. */
const restMs = 5_000

/** One sign-in, however many clients and calls. What AWS refuses is not kept until the end that was stated for it. */
export const createSignIn = ({ obtain, isReadEachTime }: Source, now: () => number): SignIn => {
  let held: Credentials | null = null
  /** When there were others, or AWS's refusal made us ask for some. */
  let newAt = 0
  /** What is being asked for, by whether it was refused: what was asked for before may be what is refused. */
  const asked = new Map<boolean, Promise<Credentials>>()
  /** How often something was refused. */
  let refusals = 0

  const ask = (isRefused: boolean): Promise<Credentials> => {
    const under = asked.get(true) ?? asked.get(isRefused)
    if (under !== undefined) return under
    if (isRefused) refusals += 1
    const begun = refusals
    const asking = obtain(isRefused)
      .then((got) => {
        // Whoever began before a refusal, and ends after, brings nothing newer.
        if (begun !== refusals) return got
        if (isRefused || held === null || !isSame(held, got)) newAt = now()
        held = got
        return got
      })
      .finally(() => asked.delete(isRefused))
    asked.set(isRefused, asking)
    return asking
  }
  const isNew = () => now() - newAt >= 0 && now() - newAt < restMs
  const endsSoon = ({ expiration }: Credentials) => expiration !== undefined && expiration.getTime() - now() < aheadMs

  return {
    credentials: Object.assign(
      async () => (held === null || isReadEachTime || endsSoon(held) ? ask(false) : held),
      // Else each client would keep what it was given first until its stated end.
      { memoized: true } as const,
    ),
    current: async () => held ?? ask(false),
    others: async (refused) => {
      if (held !== null && !isSame(held, refused)) return true
      if (!isReadEachTime && isNew()) return false
      return !isSame(await ask(true), refused)
    },
  }
}

const isSame = (one: Credentials, other: Credentials): boolean =>
  one.accessKeyId === other.accessKeyId &&
  one.secretAccessKey === other.secretAccessKey &&
  one.sessionToken === other.sessionToken
