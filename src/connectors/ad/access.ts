import type { NativeId } from '../../domain/ids.ts'
import type { Evidence, Outcome } from '../../domain/outcome.ts'
import { notSo, type Operation } from '../connector.ts'
import { missingAccount, refused, retry } from '../ldap-wire/answers.ts'
import type { Gate, LdapClient } from '../ldap-wire/client.ts'
import { type Failure, outcomeOfRead } from '../ldap-wire/errors.ts'
import type { Pace } from '../ldap-wire/pace.ts'
import { type Account, type Accounts, hiddenAccount, observedAccount, readAccounts } from './account.ts'
import type { AdSettings } from './config.ts'
import { deleteAccount } from './delete-account.ts'
import { type Group, groupFor, isOutcome } from './groups.ts'
import { bringBack, partWith, unfinishedOf } from './leaver.ts'
import { changeMembers } from './membership.ts'
import { protectionOf } from './protected.ts'
import { setEnabled } from './set-enabled.ts'
import { whileSettling } from './settling.ts'
import { unverified, type Written } from './written.ts'

export type AccessOperation =
  | Extract<Operation, { op: 'enable' | 'disable' | 'grant' | 'revoke' }>
  | { readonly op: 'deleteAccount'; readonly account: NativeId }
export const isOnAccess = (operation: Operation): operation is AccessOperation =>
  operation.op !== 'ensureAccount' && operation.op !== 'endSessions'

/** One operation on an account and a group that were found. */
type Item = {
  readonly index: number
  readonly operation: AccessOperation
  readonly account: Account
  /** null for operations on the account itself. */
  readonly group: Group | null
}
type WrittenItem = Written & { readonly failures?: ReadonlyMap<string, Failure> }

/** Finds account and group of each operation; what cannot be found, or may not be written, is answered in `outcomes`. */
export const findItems = async (
  client: LdapClient,
  settings: AdSettings,
  operations: readonly AccessOperation[],
  outcomes: (Outcome | undefined)[],
  /** `asShown`: what they hold is proved afterwards. */
  groupsOfAccounts: 'proven' | 'asShown' = 'proven',
): Promise<readonly Item[]> => {
  const ids = [...new Set(operations.map(({ account }) => account))]
  const groups = new Map<string, Promise<Group | Outcome>>()
  const groupOf = (operation: AccessOperation): Promise<Group | Outcome> | null => {
    if (!('entitlement' in operation)) return null
    const { op, entitlement } = operation
    const key = JSON.stringify([op, entitlement.lookup, entitlement.nativeId])
    const known = groups.get(key) ?? groupFor(client, settings, op, entitlement)
    groups.set(key, known)
    return known
  }
  const [accounts, ...found] = await Promise.all([
    readAccounts(client, settings, ids, groupsOfAccounts),
    ...operations.map(groupOf),
  ])
  const items: Item[] = []
  for (const [index, operation] of operations.entries()) {
    if (!accounts.ok) {
      outcomes[index] = outcomeOfRead(accounts.failure, 'account')
      continue
    }
    const account = accounts.value.get(operation.account)
    const group = found[index] ?? null
    if (account === undefined)
      outcomes[index] = operation.op === 'deleteAccount' ? absent(operation.account) : missingAccount
    else if (group !== null && isOutcome(group)) outcomes[index] = group
    else items.push({ index, operation, account, group })
  }
  return items
}

/** An account that is not there is as a deletion wants it. */
const absent = (account: NativeId): Outcome => ({
  kind: 'done',
  changed: false,
  evidence: { read: 'account-absent', code: '', account, entitlement: null },
})

/** Disables, revokes, enables, grants and deletes, in this order; answers only what was read back afterwards. */
export const changeAccess = async (
  client: LdapClient,
  settings: AdSettings,
  pace: Pace,
  operations: readonly AccessOperation[],
  gate: Gate,
  settling = false,
): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  client.warm()
  const items = await findItems(client, settings, operations, outcomes, 'asShown')
  const written = await writeItems(client, settings, pace, items, outcomes, gate, settling)
  const toProve = items.filter(({ index }) => written.has(index))
  const ids = [...new Set(toProve.map(({ operation }) => operation.account))]
  const proof = await readAccounts(client, settings, ids)
  for (const item of toProve) {
    const write = written.get(item.index) ?? { kind: 'written', changed: false, code: '' }
    if (proof.ok) outcomes[item.index] = judge(settings, item, proof.value, write)
    else outcomes[item.index] = unverified(proof.failure, write.changed)
  }
  return operations.map(({ op }, index) => {
    const outcome = outcomes[index] ?? retry('not-begun')
    return settling ? whileSettling(op, outcome) : outcome
  })
}

/** Access ends before it begins. `settling`: what ends it is sent whatever a read says. */
const writeItems = async (
  client: LdapClient,
  settings: AdSettings,
  pace: Pace,
  items: readonly Item[],
  outcomes: (Outcome | undefined)[],
  gate: Gate,
  settling: boolean,
): Promise<ReadonlyMap<number, WrittenItem>> => {
  const written = new Map<number, WrittenItem>()
  const note = ({ index }: Item, result: WrittenItem | Outcome) => {
    if (result.kind === 'written') written.set(index, result)
    else outcomes[index] = result
  }
  const onAccounts = async (
    op: 'disable' | 'enable' | 'deleteAccount',
    change: (account: Account, writer: number, operation: AccessOperation) => Promise<WrittenItem | Outcome>,
  ) => {
    const queue = items.filter(({ operation }) => operation.op === op)
    const work = async (writer: number): Promise<void> => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift())
        note(
          item,
          protectionOf(settings, item.account.entry, op) ?? (await change(item.account, writer, item.operation)),
        )
    }
    await Promise.all(Array.from({ length: Math.min(client.writers, queue.length) }, (_, writer) => work(writer)))
  }
  const onMembers = async (op: 'grant' | 'revoke') => {
    const byGroup = Map.groupBy(
      items.filter(({ operation }) => operation.op === op),
      ({ group }) => group?.guid ?? ('' as NativeId),
    )
    for (const [group, ofGroup] of byGroup) {
      const needed = ofGroup.filter((item) => {
        const held = holding(item.account, item.group)
        if (held === 'unread') note(item, { kind: 'written', changed: false, code: '' })
        else if (op === 'revoke' && held === 'primary') note(item, refused('not-allowed', 'primary-group'))
        else if ((held === null) === (op === 'grant') || (op === 'revoke' && settling)) {
          const protection = op === 'grant' ? protectionOf(settings, item.account.entry, op) : undefined
          if (protection === undefined) return true
          note(item, protection)
        } else note(item, { kind: 'written', changed: false, code: '' })
        return false
      })
      const accounts = needed.map(({ account }) => account.guid)
      const change = op === 'grant' ? 'add' : 'delete'
      const results = await changeMembers(client, settings, pace, { group, change, accounts }, gate)
      for (const item of needed) note(item, results.get(item.account.guid) ?? retry('not-begun'))
    }
  }
  await onAccounts('disable', async (account, writer, operation) => {
    const disabled = await setEnabled(client, settings, account, false, gate, writer, settling)
    if (disabled.kind !== 'written' || !leaves(operation)) return disabled
    const { changed, failures } = await partWith(client, settings, account, disabled.changed, gate)
    return { ...disabled, ...(changed ? { changed, code: '0' } : {}), failures }
  })
  await onMembers('revoke')
  await onAccounts('enable', async (account, writer) => {
    const { moved, refusal } = await bringBack(client, settings, account, gate)
    if (refusal !== null) return refusal
    const enabled = await setEnabled(client, settings, account, true, gate, writer)
    return enabled.kind === 'written' && moved ? { ...enabled, changed: true, code: '0' } : enabled
  })
  await onMembers('grant')
  await onAccounts('deleteAccount', (account) => deleteAccount(client, settings, account, gate))
  return written
}

/** Whoever is only away keeps their place, their password and their manager. */
const leaves = (operation: AccessOperation): boolean => operation.op === 'disable' && operation.away !== true

const holding = ({ groups, primaryGroup }: Account, group: Group | null): 'member' | 'primary' | 'unread' | null => {
  if (group === null) return null
  if (!groups.ok) return 'unread'
  if (groups.value.has(group.guid)) return 'member'
  return group.sid !== undefined && group.sid === primaryGroup ? 'primary' : null
}

/** The outcome of one operation, from what was read and nothing else. */
export const judge = (settings: AdSettings, item: Item, proof: Accounts, write: WrittenItem): Outcome => {
  const { operation, group } = item
  const now = proof.get(operation.account)
  const evidence = (read: string): Evidence => ({
    read,
    code: write.code,
    account: operation.account,
    entitlement: group?.guid ?? null,
  })
  const isNotSo: Outcome = { kind: 'retry', cause: { code: write.code, word: notSo } }
  const done = (read: string) => ({ kind: 'done', changed: write.changed, evidence: evidence(read) }) as const
  if (operation.op === 'deleteAccount') return now === undefined ? done('account-absent') : isNotSo
  if (now === undefined) return missingAccount
  switch (operation.op) {
    case 'enable':
    case 'disable': {
      const observed = observedAccount(settings, now)
      if (observed === null) return hiddenAccount
      if (observed.enabled !== (operation.op === 'enable')) return isNotSo
      // Its evidence is what it held: nobody is to believe that this was nothing.
      if (operation.op === 'disable' && !now.groups.ok) return unverified(now.groups.failure, write.changed)
      const unfinished = leaves(operation) ? unfinishedOf(settings, now, write.failures ?? new Map()) : []
      return {
        ...done('account-entry'),
        account: {
          ...observed,
          origin: 'known',
          ...(write.wasEnabled === undefined ? {} : { wasEnabled: write.wasEnabled }),
        },
        ...(operation.op === 'disable' && now.groups.ok ? { grants: [...now.groups.value.values()] } : {}),
        ...(unfinished.length > 0 ? { unfinished } : {}),
      }
    }
    case 'grant':
    case 'revoke': {
      if (!now.groups.ok) return unverified(now.groups.failure, write.changed)
      const held = holding(now, group)
      if ((held === null) === (operation.op === 'grant')) return isNotSo
      return done(held === 'primary' ? 'primary-group' : 'member-of')
    }
    default:
      return operation satisfies never
  }
}
