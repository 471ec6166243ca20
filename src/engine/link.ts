import { auditEntry } from '../audit/entry.ts'
import { personalDetail } from '../audit/personal.ts'
import type { Actor } from '../domain/actor.ts'
import type { NativeId, TargetId } from '../domain/ids.ts'
import type { ObservedAccount, ObservedEntitlement, ObservedIndirect } from '../domain/outcome.ts'
import { saveAccounts } from '../store/accounts.ts'
import { endAdoptedOn } from '../store/adoptions.ts'
import { appendAudit } from '../store/audit-log.ts'
import { databaseNow } from '../store/clock.ts'
import type { Queryable, Transaction } from '../store/database.ts'
import { contestSeen } from '../store/entitlement-questions.ts'
import { closeFindingsOf } from '../store/findings.ts'
import { knownEntitlements, saveListed } from '../store/grants.ts'
import {
  countLinks,
  forgetNotTheirs,
  isInWork,
  linkedTo,
  ownerOf,
  type PersonRow,
  personOf,
  unlink,
} from '../store/links.ts'
import { savePersonalDetails } from '../store/personal-details.ts'
import { lockIdentities, lockOpenWork, makeDue } from '../store/work-queue.ts'
import { ambiguousKey } from './ambiguous-account.ts'
import { type AuditedBy, auditedAccount, auditedBy, type Manifests } from './audited-account.ts'
import type { Engine } from './engine.ts'
import { readIndirect } from './read-indirect.ts'
import { saveIndirectAccess } from './save-indirect.ts'

/** How far a target's accounts are linked. */
export const linksOf = (db: Queryable, target: string) => countLinks(db, target)

type Context = Pick<Engine, 'db' | 'connectors' | 'nudge'>

type Act = {
  readonly person: string
  readonly target: TargetId
  readonly reason: string
  readonly actor: Actor
  readonly signal: AbortSignal
}

export type LinkAnswer =
  | { readonly kind: 'linked'; readonly grants: number }
  | { readonly kind: 'was-so' }
  | { readonly kind: 'unlinked'; readonly account: string }
  | { readonly kind: 'unknown-person' }
  | { readonly kind: 'no-account' }
  | { readonly kind: 'not-linked' }
  | { readonly kind: 'unread'; readonly cause: string }
  /** The person has another account there: a human unlinks it first. */
  | { readonly kind: 'has-another'; readonly account: string }
  | { readonly kind: 'somebody-elses'; readonly person: string }
  /** muster.yaml says that Muster has nothing to do with this account. */
  | { readonly kind: 'protected' }
  /** A change of theirs is out on the target just now. */
  | { readonly kind: 'in-work' }

/**
 * A human says whose an account is. It is read first, with all that it holds: separation of duties counts that from now
 * on, and whatever no rule explains is a finding. Nothing is changed on the target by this.
 */
export const linkAccount = async (engine: Context, act: Act & { readonly account: string }): Promise<LinkAnswer> => {
  const connector = engine.connectors.get(act.target)
  const found = await personOf(engine.db, act.person)
  if (found === null) return { kind: 'unknown-person' }
  if (connector === undefined) return { kind: 'unread', cause: 'no connector' }
  const isProtected = await connector.protects?.(act.account as NativeId, act.signal)
  if (isProtected === true) return { kind: 'protected' }
  if (isProtected === null) {
    // A target that answers nothing says more by why.
    const read = await connector.accounts([act.account as NativeId], act.signal)
    const ownUntold = 'the target does not tell whether it is the account of Muster itself'
    return { kind: 'unread', cause: read.kind === 'partial' ? read.cause : ownUntold }
  }
  const readAt = await databaseNow(engine.db)
  const ids = [act.account as NativeId]
  const [accounts, grants, indirect] = await Promise.all([
    connector.accounts(ids, act.signal),
    connector.grantsOf(ids, act.signal),
    readIndirect(connector, ids, act.signal),
  ])
  if (accounts.kind === 'partial') return { kind: 'unread', cause: accounts.cause }
  if (grants.kind === 'partial') return { kind: 'unread', cause: grants.cause }
  // Whoever may not sign in is shut out by the link, whatever they hold; no grant goes out before it is read (ADR 0023).
  if (indirect !== null && indirect.unread !== null && !found.shut) return { kind: 'unread', cause: indirect.unread }
  const [account] = accounts.items
  if (account === undefined) return { kind: 'no-account' }
  const answer = await engine.db.transaction((tx) =>
    link(
      tx,
      auditedBy(engine, act.target),
      found,
      act,
      account,
      grants.items.map(({ entitlement }) => entitlement),
      indirect?.told.get(account.nativeId) ?? null,
      readAt,
    ),
  )
  if (answer.kind === 'linked') engine.nudge('evaluate', found.leaver ? 'leaver' : 'bulk')
  return answer
}

const link = async (
  tx: Transaction,
  by: AuditedBy,
  person: PersonRow,
  act: Act,
  account: ObservedAccount,
  grants: readonly ObservedEntitlement[],
  indirect: readonly ObservedIndirect[] | null,
  readAt: number,
): Promise<LinkAnswer> => {
  await lockIdentities(tx, [person.identity])
  await lockOpenWork(tx, [person.identity])
  const before = await linkedTo(tx, act.target, person.identity)
  if (before !== null)
    return before.native_id === account.nativeId
      ? { kind: 'was-so' }
      : { kind: 'has-another', account: before.native_id }
  // An account of theirs may just have been made: its outcome says which.
  if (await isInWork(tx, act.target, person.identity)) return { kind: 'in-work' }
  const owner = await ownerOf(tx, act.target, account.nativeId)
  if (owner !== null) return { kind: 'somebody-elses', person: owner }
  await forgetNotTheirs(tx, act.target, person.identity, account.nativeId)
  const saved = await saveAccounts(
    tx,
    [
      {
        identity: person.identity,
        target: act.target,
        nativeId: account.nativeId,
        origin: 'linked',
        enabled: account.enabled,
        attributesHash: account.attributesHash,
        grantsReadAt: readAt,
      },
    ],
    { verifies: 'nothing', since: readAt },
  )
  const id = saved.get(person.identity)
  // Linked to somebody else meanwhile: all of this is taken back, and the next attempt says to whom.
  if (id === undefined) throw new Error('the account was linked to somebody else meanwhile')
  const known = await knownEntitlements(tx, act.target, grants)
  await contestSeen(tx, act.target, grants)
  await saveListed(
    tx,
    readAt,
    null,
    readAt,
    [...known.values()].map((entitlement) => ({ account: id, entitlement })),
  )
  if (indirect !== null) {
    const { identity, subject_ref } = person
    const held = { identity, subject_ref, account: id, native_id: account.nativeId, held: indirect }
    const at = await databaseNow(tx)
    await appendAudit(tx, at, (await saveIndirectAccess(tx, act.target, by, at, readAt, [held])).entries)
  }
  await closeFindingsOf(tx, 'account-ambiguous', [ambiguousKey(act.target, person)])
  await makeDue(tx, [person.identity])
  await tell(tx, 'account-linked', person, act, {
    account: auditedAccount(by, { account: id, native_id: account.nativeId }),
    enabled: account.enabled,
    grants: grants.map(({ nativeId }) => nativeId).sort(),
  })
  return { kind: 'linked', grants: grants.length }
}

/**
 * A human says that an account is not this person's. What it holds stays on it, and Muster leaves it alone; correlation does
 * not link the two again. What was adopted of it is over with that. The person is evaluated anew, and may get an account of their own.
 */
export const unlinkAccount = async (
  engine: Pick<Context, 'db' | 'nudge'> & Manifests,
  act: Omit<Act, 'signal'>,
): Promise<LinkAnswer> => {
  const person = await personOf(engine.db, act.person)
  if (person === null) return { kind: 'unknown-person' }
  const answer = await engine.db.transaction(async (tx): Promise<LinkAnswer> => {
    await lockIdentities(tx, [person.identity])
    await lockOpenWork(tx, [person.identity])
    const linked = await linkedTo(tx, act.target, person.identity)
    if (linked === null) return { kind: 'not-linked' }
    if (await isInWork(tx, act.target, person.identity)) return { kind: 'in-work' }
    const at = await databaseNow(tx)
    await unlink(tx, at, act.actor.name, { ...linked, target: act.target, identity: person.identity })
    const adopted = await endAdoptedOn(tx, act.target, person.identity, at, act.actor.name)
    await makeDue(tx, [person.identity])
    await tell(tx, 'account-unlinked', person, act, {
      account: auditedAccount(auditedBy(engine, act.target), linked),
    })
    await appendAudit(
      tx,
      at,
      adopted.map((entitlement) =>
        auditEntry(
          'adoption-ended',
          at,
          { subjectRef: person.subject_ref, entitlementId: entitlement },
          { subject: person.subject_ref, entitlement, target: act.target, because: 'unlinked', actor: act.actor },
        ),
      ),
    )
    return { kind: 'unlinked', account: linked.native_id }
  })
  if (answer.kind === 'unlinked') engine.nudge('evaluate', person.leaver ? 'leaver' : 'bulk')
  return answer
}

/** The reason is a human's text and may name people: it goes into the erasable table, the entry binds it by its hash. */
const tell = async (
  tx: Transaction,
  kind: 'account-linked' | 'account-unlinked',
  { subject_ref }: PersonRow,
  { target, reason, actor }: Omit<Act, 'signal'>,
  body: Readonly<Record<string, string | number | boolean | null | readonly string[]>>,
): Promise<void> => {
  const at = await databaseNow(tx)
  const detail = personalDetail(subject_ref, { reason })
  await savePersonalDetails(tx, at, [detail])
  await appendAudit(tx, at, [
    auditEntry(
      kind,
      at,
      { subjectRef: subject_ref },
      { subject: subject_ref, target, ...body, detail: { ref: detail.ref, hash: detail.hash }, actor },
    ),
  ])
}
