import { connectorByHand } from '../app/targets.ts'
import type { Config } from '../config.ts'
import type { NativeId } from '../domain/ids.ts'

const patienceMs = 60_000

/** Native ids of accounts that a finding names. */
export type Accounts = { readonly target: string; readonly ids: readonly string[] }

/** By native id. `unread`: what to tell of targets that did not answer. */
export type NamesThere = {
  readonly of: (account: Accounts['ids'][number], target: string) => string | null
  readonly unread: readonly string[]
}

export const accountsIn = ({ target, detail }: { target: string | null; detail: unknown }): Accounts | null => {
  const accounts = (detail as Readonly<Record<string, unknown>> | null)?.accounts
  return target === null || typeof accounts !== 'string' || accounts === ''
    ? null
    : { target, ids: accounts.split(' ') }
}

/** What these targets call these accounts; read there now, for it is personal data, and kept nowhere. */
export const accountsByName = async (
  targets: Config['targets'],
  db: Parameters<typeof connectorByHand>[1],
  accounts: readonly Accounts[],
): Promise<NamesThere> => {
  const read = await Promise.all(
    [...Map.groupBy(accounts, ({ target }) => target)].map(async ([id, some]) => {
      const settings = targets.find((one) => one.id === id)
      if (settings === undefined)
        return { id, names: new Map<string, string>(), cause: 'muster.yaml has no such target' }
      const connector = await connectorByHand(settings, db)
      try {
        return { id, ...(await namesOf(connector, [...new Set(some.flatMap(({ ids }) => ids))])) }
      } finally {
        await connector.close()
      }
    }),
  )
  const byTarget = new Map(read.map(({ id, names }) => [id, names]))
  return {
    of: (account, target) => byTarget.get(target)?.get(account) ?? null,
    unread: read.flatMap(({ id, cause }) => (cause === null ? [] : [`${id}: names could not be read (${cause})`])),
  }
}

type There = Awaited<ReturnType<typeof connectorByHand>>

const namesOf = async (there: There, ids: readonly string[]) => {
  const told = await there.accounts(ids as readonly NativeId[], AbortSignal.timeout(patienceMs))
  return {
    names: new Map<string, string>(
      told.items.flatMap(({ nativeId, name }) => (name === undefined ? [] : [[nativeId, name]])),
    ),
    cause: told.kind === 'complete' ? null : told.cause,
  }
}
