import type { Outcome } from '../../domain/outcome.ts'
import { differences } from '../attribute-mapping.ts'
import type { ApplyContext, EnsureOperation } from '../connector.ts'
import { linkable } from '../linkable.ts'
import { missingAccount, refused, retry } from './answers.ts'
import { bodyOf, unfit, wantedAttributes } from './attributes.ts'
import { pending } from './conclude.ts'
import { createAccounts } from './create-accounts.ts'
import type { Directory } from './directory.ts'
import { outcomeOfChange } from './errors.ts'
import { find, type Matched } from './find-accounts.ts'
import { oneUser } from './paths.ts'
import { type Present, proveAccounts } from './prove-accounts.ts'
import type { Gate } from './transport.ts'
import { idOf, isSynced, mappedOf } from './user.ts'

/**
 * Finds, links, creates and updates accounts. Every call begins with the search, so that one whose response was lost, when it
 * is repeated, finds what it made.
 */
export const ensureAccounts = async (
  directory: Directory,
  operations: readonly EnsureOperation[],
  gate: Gate,
  context: Pick<ApplyContext, 'linkRefusals'>,
): Promise<readonly Outcome[]> => {
  const outcomes: (Outcome | undefined)[] = new Array(operations.length)
  const present: Present[] = []
  const { matched, missing } = await find(directory, operations, outcomes)
  const toCreate = missing.filter(({ index, operation }) => {
    if (!operation.create) outcomes[index] = missingAccount
    return operation.create
  })
  for (const { index, result } of await createAccounts(directory, toCreate, gate)) {
    const operation = operations[index]
    if (result.kind !== 'created') outcomes[index] = result
    else if (operation !== undefined)
      present.push({ index, operation, id: result.id, origin: 'created', changed: true, code: result.code, user: null })
  }
  await Promise.all(
    (await linkable(matched, ({ user }) => idOf(user), context, outcomes)).map(async (match) => {
      const { index } = match
      const result = await update(directory, match, gate)
      if ('id' in result) present.push(result)
      else outcomes[index] = result
    }),
  )
  const at = directory.client.now()
  const proofs = await proveAccounts(directory, present)
  for (const { index, origin, id, changed } of present) {
    const proof = proofs.get(index)
    if (proof?.kind === 'proved') outcomes[index] = proof.outcome
    else if (!changed) outcomes[index] = proof?.outcome ?? retry('reads-disagree')
    else
      outcomes[index] = pending(
        directory,
        origin === 'created' ? { kind: 'created', at, detail: id } : { kind: 'written', at, detail: '' },
      )
  }
  return operations.map((_, index) => outcomes[index] ?? retry('not-begun'))
}

const update = async (
  { client, settings }: Directory,
  { index, operation, user, toCorrelate }: Matched,
  gate: Gate,
): Promise<Present | Outcome> => {
  const { worker, correlation } = operation.wanted
  const origin = operation.account === null ? 'linked' : 'known'
  const account = { index, operation, id: idOf(user), origin } as const
  const unchanged: Present = { ...account, changed: false, code: '', user }
  if (isSynced(user)) return unchanged
  const wanted = wantedAttributes(settings, worker)
  if (unfit(wanted) !== null) return refused('invalid', 'value-unfit')
  const changes = [
    ...differences(wanted, mappedOf(settings, user)),
    ...(toCorrelate ? [[settings.correlation, [correlation.value]] as const] : []),
  ]
  if (changes.length === 0) return unchanged
  const sent = await client.write({ method: 'PATCH', resource: oneUser(user.id), body: bodyOf(changes) }, gate)
  return sent.ok ? { ...account, changed: true, code: sent.value.requestId, user: null } : outcomeOfChange(sent.failure)
}
