import type { Connector, ListedAccount } from '../connectors/connector.ts'
import type { TargetId } from '../domain/ids.ts'
import { linkedAccounts } from '../store/reconciliations.ts'
import { grantsHeld, peopleAmong } from '../store/strays.ts'
import type { Engine } from './engine.ts'

/**
 * nobody: linked to no person. own: what Muster itself is there. built-in: the target's own. protected: muster.yaml protects it.
 * All three are of nobody and are never linked. theirs: linked to nobody yet, and the key of somebody whom Muster knows (`person`) stands on
 * it. left: of a leaver, and open where it could be shut. stays: of a leaver, and open because no call shuts an account there.
 */
export type Stray = ListedAccount & {
  readonly is: 'nobody' | 'own' | 'built-in' | 'protected' | 'theirs' | 'left' | 'stays'
  readonly person: string | null
  /** `stays`: how many grants Muster knows of it. */
  readonly grants?: number
}

export type Strays =
  | {
      readonly kind: 'read'
      readonly accounts: number
      readonly strays: readonly Stray[]
      /** What the target calls each of its accounts. */
      readonly names: ReadonlyMap<string, string>
    }
  | { readonly kind: 'unread'; readonly cause: string }

const atOnce = 5_000

/**
 * Accounts of a target that belong to nobody Muster knows, and those of leavers that are open. Reads the target now; stores
 * nothing, for what is listed is personal data of people who may have nothing to do with us.
 */
export const strayAccounts = async (
  { db, connectors }: Pick<Engine, 'db' | 'connectors'>,
  target: TargetId,
  signal: AbortSignal,
): Promise<Strays> => {
  const connector = connectors.get(target)
  if (connector === undefined) return { kind: 'unread', cause: 'no connector' }
  const listed = await connector.listAccounts(signal)
  if (listed.kind === 'partial') return { kind: 'unread', cause: listed.cause }
  const shuts = connector.manifest.disable === 'native'
  const strays: Stray[] = []
  for (let at = 0; at < listed.items.length; at += atOnce)
    strays.push(...(await straysAmong(db, target, listed.items.slice(at, at + atOnce), shuts)))
  return {
    kind: 'read',
    accounts: listed.items.length,
    strays: await unlinkableToldApart(connector, strays, signal),
    names: new Map(listed.items.flatMap(({ nativeId, name }) => (name === null ? [] : [[nativeId, name]]))),
  }
}

const unlinkableToldApart = async (
  connector: Connector,
  strays: readonly Stray[],
  signal: AbortSignal,
): Promise<readonly Stray[]> => {
  const told = strays.some(({ is }) => is === 'nobody') ? ((await connector.own?.(signal))?.items ?? []) : []
  const own = new Set(told.flatMap(({ kind, nativeId }) => (kind === 'account' ? [nativeId.toLowerCase()] : [])))
  return Promise.all(
    strays.map(async (stray): Promise<Stray> => {
      if (stray.is !== 'nobody') return stray
      if (own.has(stray.nativeId.toLowerCase())) return { ...stray, is: 'own' }
      if (stray.builtIn === true) return { ...stray, is: 'built-in' }
      return (await connector.protects?.(stray.nativeId, signal)) === true ? { ...stray, is: 'protected' } : stray
    }),
  )
}

const straysAmong = async (
  db: Engine['db'],
  target: TargetId,
  some: readonly ListedAccount[],
  shuts: boolean,
): Promise<readonly Stray[]> => {
  const ids = some.map(({ nativeId }) => nativeId)
  const linked = new Map((await linkedAccounts(db, target, ids)).map((one) => [one.native_id, one]))
  const open = some.filter(({ nativeId, enabled }) => enabled && linked.get(nativeId)?.leaver === true)
  const [people, grants] = await Promise.all([
    peopleAmong(
      db,
      some.flatMap(({ nativeId, key }) => (key === null || linked.has(nativeId) ? [] : [key])),
    ),
    grantsHeld(db, shuts ? [] : open.flatMap(({ nativeId }) => linked.get(nativeId)?.account ?? [])),
  ])
  return some.flatMap((account): Stray[] => {
    const link = linked.get(account.nativeId)
    if (link === undefined)
      return account.key !== null && people.has(account.key)
        ? [{ ...account, is: 'theirs', person: account.key }]
        : [{ ...account, is: 'nobody', person: null }]
    if (!link.leaver || !account.enabled) return []
    return shuts
      ? [{ ...account, is: 'left', person: link.person_key }]
      : [{ ...account, is: 'stays', person: link.person_key, grants: grants.get(link.account) ?? 0 }]
  })
}
