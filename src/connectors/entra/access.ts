import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { masteredElsewhere, refused, retry } from './answers.ts'
import type { Change } from './client.ts'
import { concluded, missed, unproved, type Written } from './conclude.ts'
import { type Confirmed, confirm } from './confirm.ts'
import type { Directory } from './directory.ts'
import { outcomeOfChange, outcomeOfRead } from './errors.ts'
import { type Opened, openGroup, prefetch, type Terms } from './groups.ts'
import { lookOnly } from './look-only.ts'
import { addMembers, removeMembers } from './membership.ts'
import { type AccessOperation, type Item, isMembership, isUnreadable, obstacleOf } from './operations.ts'
import { oneUser, sessionsOf } from './paths.ts'
import type { Gate } from './transport.ts'
import { isEnabled, isSynced, type User } from './user.ts'
import { usersNow } from './users.ts'

const termsOf = (op: 'grant' | 'revoke', purpose: 'apply' | 'poll' | 'observe'): Terms => ({
  // A grant that was written is looked for where it was written.
  isBound: op === 'grant' && purpose !== 'poll',
  isLeftUnseen: op === 'revoke' && purpose !== 'observe',
})

/** The groups of these operations, each opened once. What cannot be is answered in `outcomes`. */
export const openItems = async (
  { client, memory, settings }: Directory,
  operations: readonly AccessOperation[],
  outcomes: (Outcome | undefined)[],
  purpose: 'apply' | 'poll' | 'observe',
): Promise<readonly Item[]> => {
  const opened = new Map<string, Promise<Opened>>()
  const keyOf = (operation: AccessOperation): string =>
    isMembership(operation) ? `${operation.op} ${operation.entitlement.nativeId} ${operation.entitlement.lookup}` : ''
  const pinned = operations.flatMap((operation) =>
    isMembership(operation) ? (operation.entitlement.nativeId ?? []) : [],
  )
  // What a group is called may change, and with it what a grant would mean: read anew each time.
  for (const operation of operations)
    if (operation.op === 'grant' && operation.entitlement.nativeId !== null && purpose === 'apply')
      memory.forget(operation.entitlement.nativeId)
  await prefetch(client, memory, pinned)
  for (const operation of operations) {
    const key = keyOf(operation)
    if (isMembership(operation) && !opened.has(key))
      opened.set(key, openGroup(client, memory, operation.entitlement, termsOf(operation.op, purpose)))
  }
  const items: Item[] = []
  for (const [index, operation] of operations.entries()) {
    const group = await opened.get(keyOf(operation))
    if (group === undefined) items.push({ index, operation, group: null })
    else if (group.kind === 'no') outcomes[index] = group.outcome
    else {
      const item: Item = { index, operation, group: { id: group.id, group: group.group } }
      if (!isUnreadable(item, settings)) items.push(item)
      else if (operation.op !== 'revoke') outcomes[index] = refused('not-allowed', 'hidden-membership')
      // What takes away is sent without a proof; only reads go without it.
      else if (purpose === 'apply') items.push(item)
      else outcomes[index] = unproved(item, null)
    }
  }
  return items
}

/** Enables, disables, ends sessions, grants, revokes and deletes; answers only what was read back afterwards. */
export const changeAccess = async (
  directory: Directory,
  operations: readonly AccessOperation[],
  gate: Gate,
): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  const notOurs: Item[] = []
  const items = (await openItems(directory, operations, outcomes, 'apply')).filter((item) => {
    const word = obstacleOf(item, directory.settings)
    if (word === null) return true
    outcomes[item.index] = refused('not-allowed', word)
    if (item.operation.op === 'revoke' && !isUnreadable(item, directory.settings)) notOurs.push(item)
    return false
  })
  const written = new Map<number, Written & { readonly endedFrom: number | null }>()
  const note = ({ index }: Item, result: Written | Outcome, endedFrom: number | null = null) => {
    if (result.kind === 'written') written.set(index, { ...result, endedFrom })
    else outcomes[index] = result
  }
  /** Looks once, then sends what is to be changed, one kind after the other. */
  const onAccounts = async (...ops: readonly AccessOperation['op'][]) => {
    const all = items.filter(({ operation }) => ops.includes(operation.op))
    if (all.length === 0) return
    const looks = await confirm(directory, all, { withAccounts: false })
    for (const op of ops)
      await send(
        all.filter(({ operation }) => operation.op === op),
        looks,
      )
  }
  const send = async (some: readonly Item[], looks: ReadonlyMap<number, Confirmed>) => {
    await Promise.all(
      some.map(async (item) => {
        const before = looks.get(item.index)
        const next = before === undefined ? retry('not-begun') : nextStep(item, before)
        if (next === 'was-so')
          note(item, { kind: 'written', said: 'so-already', changed: false, code: '', ...shownBy(item, before) })
        else if (next === 'absent') outcomes[item.index] = missed(directory, directory.client.now())
        else if ('kind' in next) outcomes[item.index] = next
        else {
          // Somebody may have opened it since: the last read before it goes is its own.
          const stays =
            item.operation.op === 'deleteAccount' ? await openedMeanwhile(directory, item.operation.account) : null
          if (stays !== null) return void (outcomes[item.index] = stays)
          const sent = await directory.client.write(next.change, gate)
          if (sent.ok)
            note(
              item,
              // Sent whatever the look said, so the look tells only whether it was needed.
              {
                kind: 'written',
                said: 'accepted',
                changed: before?.kind !== 'so',
                code: sent.value.requestId,
                ...shownBy(item, before),
              },
              item.operation.op === 'endSessions' ? endedFrom(next.user, sent.value.header('date')) : null,
            )
          else outcomes[item.index] = outcomeOfChange(sent.failure)
        }
      }),
    )
  }
  const ofKind = (op: 'grant' | 'revoke') =>
    items.flatMap((item) =>
      item.operation.op === op && item.group !== null
        ? [{ item, group: item.group.id, member: item.operation.account }]
        : [],
    )
  const revoke = async () => {
    const some = ofKind('revoke')
    const results = await removeMembers(directory, some, gate)
    for (const [at, { item }] of some.entries()) {
      const result = results[at] ?? retry('not-begun')
      note(item, isUnreadable(item, directory.settings) ? unproved(item, result) : result)
    }
  }
  const grant = () =>
    Promise.all(
      [...Map.groupBy(ofKind('grant'), ({ group }) => group)].map(async ([group, some]) => {
        const ids = some.map(({ member }) => member)
        const results = await addMembers(directory, group, ids, gate)
        for (const { item, member } of some) note(item, results.get(member) ?? retry('not-begun'))
      }),
    )
  // Access ends before it begins.
  await onAccounts('disable', 'endSessions')
  await revoke()
  for (const [index, outcome] of await lookOnly(directory, notOurs)) outcomes[index] = outcome
  await onAccounts('enable')
  await grant()
  await onAccounts('deleteAccount')

  const at = directory.client.now()
  const proof = await confirm(
    directory,
    items.filter(({ index }) => written.has(index)),
    {
      withAccounts: false,
      endedFrom: new Map([...written].map(([index, { endedFrom: from }]) => [index, from ?? 0])),
    },
  )
  for (const item of items) {
    const write = written.get(item.index)
    const seen = proof.get(item.index)
    if (write !== undefined && seen !== undefined)
      outcomes[item.index] = concluded(directory, item, seen, { ...write, at })
  }
  return operations.map((_, index) => outcomes[index] ?? retry('not-begun'))
}

/** Whether it was open, of what opens or shuts it. */
const shownBy = ({ operation: { op } }: Item, before: Confirmed | undefined): Pick<Written, 'wasEnabled'> => {
  const user = before?.kind === 'so' || before?.kind === 'not-so' ? before.user : null
  return user === null || (op !== 'enable' && op !== 'disable') ? {} : { wasEnabled: isEnabled(user) }
}

/** What is to be done about an account that was just read. */
const nextStep = (
  { operation }: Item,
  before: Confirmed,
): Outcome | 'was-so' | 'absent' | { readonly change: Change; readonly user: User } => {
  if (before.kind === 'told') return isAbsent(before.outcome) ? 'absent' : before.outcome
  if (before.kind === 'so' && operation.op === 'deleteAccount') return 'absent'
  // A replica may still show an account shut that was opened a moment ago, or open that was shut: what is asked is sent.
  const isSentAnyway =
    (operation.op === 'disable' || operation.op === 'enable') &&
    before.kind === 'so' &&
    before.user !== null &&
    !isSynced(before.user)
  if (before.kind === 'so' && !isSentAnyway) return 'was-so'
  const user = before.kind === 'wavering' ? userOf(before.look) : before.user
  if (user === null) return retry('reads-disagree')
  switch (operation.op) {
    case 'enable':
    case 'disable':
      return isSynced(user)
        ? masteredElsewhere
        : {
            change: {
              method: 'PATCH',
              resource: oneUser(operation.account),
              body: { accountEnabled: operation.op === 'enable' },
            },
            user,
          }
    case 'endSessions':
      return { change: { method: 'POST', resource: sessionsOf(operation.account) }, user }
    case 'deleteAccount':
      if (isEnabled(user)) return refused('protected', 'account-enabled')
      return isSynced(user)
        ? masteredElsewhere
        : { change: { method: 'DELETE', resource: oneUser(operation.account) }, user }
    case 'grant':
    case 'revoke':
      return retry('not-begun')
    default:
      return operation satisfies never
  }
}

/**
 * Graph tells the moment in whole seconds. It must be later than before; where it was of the same second already, the second of
 * Graph's own answer will do.
 */
const endedFrom = ({ signInSessionsValidFromDateTime }: User, date: string | null): number => {
  const before = Date.parse(signInSessionsValidFromDateTime ?? '')
  const answered = Date.parse(date ?? '')
  if (Number.isNaN(before)) return 1
  return Number.isNaN(answered) ? before + 1 : Math.min(before + 1, answered - 1_000)
}

/** Why it is not deleted after all; null: it is still shut. */
const openedMeanwhile = async ({ client }: Directory, account: NativeId): Promise<Outcome | null> => {
  const read = await usersNow(client, [account], ['id', 'accountEnabled'])
  if (!read.ok) return outcomeOfRead(read.failure, 'account')
  const user = read.value.get(account)
  if (user === undefined) return retry('reads-disagree')
  return isEnabled(user) ? refused('protected', 'account-enabled') : null
}

const isAbsent = (outcome: Outcome): boolean => outcome.kind === 'refused' && outcome.reason === 'account-missing'

const userOf = (look: Confirmed): User | null => (look.kind === 'so' || look.kind === 'not-so' ? look.user : null)
