import { dnKey } from '../../domain/dn.ts'
import type { Cause, Outcome, RefusalReason } from '../../domain/outcome.ts'
import { retry } from '../ldap-wire/answers.ts'
import type { Gate, LdapClient } from '../ldap-wire/client.ts'
import { causeOf, outcomeOfRead, outcomeOfWrite } from '../ldap-wire/errors.ts'
import type { Pace } from '../ldap-wire/pace.ts'
import { isEnabled, lockChange } from './account.ts'
import type { LdapSettings } from './config.ts'
import { whileIts } from './controls.ts'
import { groupNames } from './groups.ts'
import { type AccessOperation, attributesFor, findItems, type Group, type Item, outcomeOfAbsent } from './items.ts'
import { changeMembers, type Written } from './membership.ts'
import { judge, type Proof, readProof } from './proof.ts'

/** How often an account that is renamed between resolve and read-back is followed to its new name. */
const maxRounds = 2

/** Enables, disables, grants and revokes; answers only what was read back afterwards. */
export const changeAccess = async (
  client: LdapClient,
  settings: LdapSettings,
  pace: Pace,
  operations: readonly AccessOperation[],
  gate: Gate,
): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  client.warm()
  let items: readonly Followed[] = await findItems(client, settings, operations, outcomes, false)
  /** A change made under an old name stays a change of this call. */
  const changed = new Set<number>()
  for (let round = 1; items.length > 0; round += 1) {
    const written = await writeItems(client, settings, pace, items, outcomes, gate)
    for (const [index, { changed: isChange }] of written) if (isChange) changed.add(index)
    for (const { index, mayStand } of items)
      if (mayStand === true && !written.has(index)) outcomes[index] = asUnknown(outcomes[index])
    const toProve = items.flatMap((item) => {
      const group = written.get(item.index)?.group
      return group === undefined ? [] : [{ ...item, group }]
    })
    if (toProve.length === 0) break
    const proof = await readProof(client, settings, pace, toProve, attributesFor(settings, operations))
    const moved: Item[] = []
    for (const item of toProve) {
      const code = written.get(item.index)?.code ?? ''
      if (!proof.ok) {
        const { cause } = unverified(causeOf(proof.failure))
        outcomes[item.index] = { kind: changed.has(item.index) ? 'unknown' : 'retry', cause }
      } else if (hasMoved(item, proof.value)) moved.push(item)
      else outcomes[item.index] = judge(settings, item, proof.value, { changed: changed.has(item.index), code })
    }
    items = proof.ok
      ? await follow(client, settings, moved, proof.value, { written, changed }, outcomes, gate, round)
      : []
  }
  return operations.map((_, index) => outcomes[index] ?? retry('not-begun'))
}

const renamed: Cause = { code: '', word: 'renamed-meanwhile' }
const unverified = (cause: Cause) =>
  ({ kind: 'unknown', cause: { ...cause, word: `unverified-${cause.word}` } }) as const

/** What an earlier round has changed may stand, whatever became of the change under the new name. */
const asUnknown = (outcome: Outcome | undefined): Outcome => {
  if (outcome?.kind === 'unknown') return outcome
  return unverified(outcome !== undefined && 'cause' in outcome ? outcome.cause : { code: '', word: 'busy' })
}

/** With the group under the name that it was changed by. */
type WrittenItem = Written & Pick<Item, 'group'>
/** `mayStand`: what was done under its old name may be in force under the new one. */
type Followed = Item & { readonly mayStand?: boolean }

/** Refusals of a name that the pinned group does not have, or not any more. */
const strayed: ReadonlySet<RefusalReason> = new Set(['entitlement-missing', 'entitlement-changed-identity'])

const hasMoved = (item: Item, proof: Proof): boolean => {
  const now = proof.accounts.found.get(item.operation.account)
  return now === undefined || dnKey(now.dn) !== dnKey(item.account.dn)
}

/**
 * The name under which these accounts were changed is no longer theirs. A member that was just added under it is taken out
 * again (it names nobody, or by now somebody else), and the operation goes on under the new name.
 */
const follow = async (
  client: LdapClient,
  settings: LdapSettings,
  moved: readonly Item[],
  proof: Proof,
  { written, changed }: { readonly written: ReadonlyMap<number, WrittenItem>; readonly changed: ReadonlySet<number> },
  outcomes: (Outcome | undefined)[],
  gate: Gate,
  round: number,
): Promise<readonly Followed[]> => {
  const again: Followed[] = []
  for (const item of moved) {
    const { operation, index } = item
    // A member that was there already may have been carried along as well as one of ours.
    let mayStand = changed.has(index) || operation.op === 'grant'
    if ('entitlement' in operation && operation.op === 'grant' && item.group !== null && written.get(index)?.changed) {
      const values = [item.account.dn]
      const removal = { operation: 'delete', attribute: settings.group.memberAttribute, values } as const
      const cleaned = await client.modify(item.group.dn, whileIts(item.group.id), [removal], gate)
      // 16: the server itself followed the rename (refint).
      if (!cleaned.ok && cleaned.failure.result !== 16) {
        outcomes[index] = {
          kind: 'unknown',
          cause: { ...causeOf(cleaned.failure), word: 'member-left-under-old-name' },
        }
        continue
      }
      if (cleaned.ok) mayStand = false
    }
    const account = proof.accounts.found.get(operation.account)
    const { unread } = proof.accounts
    if (account === undefined)
      outcomes[index] = unread !== null && mayStand ? unverified(causeOf(unread)) : outcomeOfAbsent(proof.accounts)
    else if (round >= maxRounds) outcomes[index] = mayStand ? unverified(renamed) : { kind: 'retry', cause: renamed }
    else again.push({ ...item, account, mayStand })
  }
  return again
}

/** Access ends before it begins: disable, revoke, enable, grant. */
const writeItems = async (
  client: LdapClient,
  settings: LdapSettings,
  pace: Pace,
  items: readonly Item[],
  outcomes: (Outcome | undefined)[],
  gate: Gate,
): Promise<ReadonlyMap<number, WrittenItem>> => {
  const written = new Map<number, WrittenItem>()
  const note = ({ index, group }: Pick<Item, 'index' | 'group'>, result: Written | Outcome) => {
    if (result.kind === 'written') written.set(index, { ...result, group })
    else outcomes[index] = result
  }
  const lock = async (op: 'enable' | 'disable') => {
    const enabled = op === 'enable'
    const queue = items.filter(({ operation }) => operation.op === op)
    const work = async (writer: number): Promise<void> => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        const { operation, account } = item
        if (isEnabled(account) === enabled) {
          note(item, { kind: 'written', changed: false, code: '' })
          continue
        }
        const result = await client.modify(account.dn, whileIts(operation.account), [lockChange(enabled)], gate, writer)
        note(
          item,
          result.ok ? { kind: 'written', changed: true, code: '0' } : outcomeOfWrite(result.failure, 'account'),
        )
      }
    }
    await Promise.all(Array.from({ length: Math.min(client.writers, queue.length) }, (_, writer) => work(writer)))
  }
  const membership = async (op: 'grant' | 'revoke') => {
    const byGroup = new Map<string, { group: Group; items: Item[] }>()
    for (const item of items) {
      const { operation, group } = item
      if (operation.op !== op || group === null) continue
      const key = `${group.id} ${group.dn}`
      const entry = byGroup.get(key) ?? { group, items: [] }
      entry.items.push(item)
      byGroup.set(key, entry)
    }
    for (const { group, items: ofGroup } of byGroup.values()) {
      const left = await change(op, group, ofGroup)
      if (op === 'grant' || left.length === 0) continue
      // What must be taken away is the group, not its name: it may have been renamed or moved.
      const names = await groupNames(client, settings, [group.id])
      const dn = names.ok ? names.value.get(group.id) : undefined
      if (!names.ok) for (const { index } of left) outcomes[index] = outcomeOfRead(names.failure, 'entitlement')
      else if (dn !== undefined && dnKey(dn) !== dnKey(group.dn)) await change(op, { id: group.id, dn }, left)
    }
  }
  /** Returns the items whose group is not what its name names. */
  const change = async (op: 'grant' | 'revoke', group: Group, ofGroup: readonly Item[]): Promise<readonly Item[]> => {
    const results = await changeMembers(
      client,
      settings,
      pace,
      {
        groupDn: group.dn,
        group: group.id,
        change: op === 'grant' ? 'add' : 'delete',
        dns: ofGroup.map(({ account }) => account.dn),
      },
      gate,
    )
    for (const { index, account } of ofGroup) note({ index, group }, results.get(account.dn) ?? retry('not-begun'))
    return ofGroup.filter(({ account }) => {
      const result = results.get(account.dn)
      return result?.kind === 'refused' && strayed.has(result.reason)
    })
  }
  await lock('disable')
  await membership('revoke')
  await lock('enable')
  await membership('grant')
  return written
}
