import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { type EnsureOperation, notSo, type PendingOperation } from '../connector.ts'
import { openItems } from './access.ts'
import { retry } from './answers.ts'
import { isOpen, later, missed, pending, polled } from './conclude.ts'
import { confirm } from './confirm.ts'
import type { Directory } from './directory.ts'
import { find } from './find-accounts.ts'
import { type Handle, readHandle } from './handle.ts'
import { type AccessOperation, inOrder } from './operations.ts'
import { type Present, proveAccounts } from './prove-accounts.ts'
import { idOf } from './user.ts'

/** What became of changes that no read had shown yet. Reads only. */
export const poll = async (directory: Directory, asked: readonly PendingOperation[]): Promise<readonly Outcome[]> => {
  const handles = new Map(asked.map(({ operation, handle }) => [operation, readHandle(handle)]))
  return inOrder(
    asked.map(({ operation }) => operation),
    (ensures) => pollAccounts(directory, ensures, handles),
    (others) => pollAccess(directory, others, handles),
  )
}

type Handles = ReadonlyMap<EnsureOperation | AccessOperation, Handle | null>

/** A handle that is not ours tells no time: what reads show then is all that is known. */
const unreadable: Handle = { kind: 'seen', at: 0, detail: '' }

const pollAccess = async (
  directory: Directory,
  operations: readonly AccessOperation[],
  handles: Handles,
): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  const items = await openItems(directory, operations, outcomes, 'poll')
  const handleOf = (operation: AccessOperation): Handle => handles.get(operation) ?? unreadable
  const looks = await confirm(directory, items, {
    // Lists of members do not tell whether somebody who is not among them is there at all.
    withAccounts: items.some(({ operation }) => operation.op === 'grant' && handleOf(operation).kind === 'missed'),
    endedFrom: new Map(items.map(({ index, operation }) => [index, momentOf(handleOf(operation))])),
  })
  for (const item of items) {
    const seen = looks.get(item.index)
    if (seen !== undefined) outcomes[item.index] = polled(directory, item, seen, handleOf(item.operation))
  }
  return operations.map((operation, index) => settled(directory, outcomes[index], handleOf(operation)))
}

/** Groups that could not be opened: a read that failed told nothing; one that is not shown may be shown later. */
const settled = (directory: Directory, outcome: Outcome | undefined, handle: Handle): Outcome => {
  if (outcome === undefined) return { kind: 'unknown', cause: { code: '', word: 'not-looked' } }
  if (outcome.kind === 'throttled') return later(directory, handle, outcome.retryAfterMs)
  if (outcome.kind === 'retry' && outcome.cause.word !== notSo) return { kind: 'unknown', cause: outcome.cause }
  if (outcome.kind !== 'refused' || !isOpen(directory, handle)) return outcome
  return handle.kind === 'missed' ? missed(directory, handle.at) : pending(directory, handle)
}

/** Without one, nothing tells that sessions were ended. */
const momentOf = ({ detail }: Handle): number => (/^\d+$/.test(detail) ? Number(detail) : Number.POSITIVE_INFINITY)

const pollAccounts = async (
  directory: Directory,
  operations: readonly EnsureOperation[],
  handles: Handles,
): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  const present: Present[] = []
  const toFind: { readonly index: number; readonly operation: EnsureOperation }[] = []
  for (const [index, operation] of operations.entries()) {
    const handle = handles.get(operation) ?? unreadable
    if (handle.kind !== 'created') toFind.push({ index, operation })
    else {
      const id = handle.detail as NativeId
      present.push({ index, operation, id, origin: 'created', changed: true, code: '', user: null })
    }
  }
  const found: (Outcome | undefined)[] = new Array(toFind.length)
  const { matched } = await find(
    directory,
    toFind.map(({ operation }) => operation),
    found,
  )
  for (const { index: at, operation, user } of matched) {
    const index = toFind[at]?.index ?? 0
    const origin = operation.account === null ? 'linked' : 'known'
    const changed = (handles.get(operation) ?? unreadable).kind !== 'seen'
    present.push({ index, operation, id: idOf(user), origin, changed, code: '', user: null })
  }
  for (const [at, { index }] of toFind.entries()) outcomes[index] = found[at]
  const proofs = await proveAccounts(directory, present)
  for (const { index } of present) {
    const proof = proofs.get(index)
    outcomes[index] = proof?.kind === 'proved' ? proof.outcome : (proof?.outcome ?? retry(notSo))
  }
  return operations.map((operation, index) => {
    const handle = handles.get(operation) ?? unreadable
    const outcome = outcomes[index] ?? retry(notSo)
    const isYoung = isOpen(directory, handle)
    const isNotSo = outcome.kind === 'retry' && outcome.cause.word === notSo
    if (isNotSo) return isYoung ? pending(directory, handle) : outcome
    // An account that was made and is still not shown when the time is over was not made.
    if (handle.kind === 'created' && outcome.kind === 'refused')
      return isYoung ? pending(directory, handle) : retry(notSo)
    return settled(directory, outcome, handle)
  })
}
