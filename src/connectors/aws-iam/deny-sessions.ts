import {
  DeleteRolePolicyCommand,
  GetRolePolicyCommand,
  ListRolePoliciesCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import {
  isMissing,
  ok,
  outcomeOfRead,
  outcomeOfWrite,
  type Result,
  refusal,
  retry,
  unverified,
} from '../aws-wire/errors.ts'
import { readAllPages } from '../aws-wire/pages.ts'
import type { Gate } from '../aws-wire/transport.ts'
import { decoded, sizeOf } from './document.ts'
import { writeHandle } from './handle.ts'
import type { Iam } from './iam.ts'
import type { Place } from './place.ts'
import type { Role } from './roles.ts'
import {
  type Denials,
  fullSecond,
  inlinePolicyLimit,
  policyNameOf,
  readSessionPolicy,
  writeSessionPolicy,
} from './session-policy.ts'
import { readSteadily, type Steady } from './steady.ts'

export type Ended = { readonly kind: 'done'; readonly changed: boolean } | Exclude<Outcome, { readonly kind: 'done' }>

/** What became of each of the people that were asked for. */
export type EndedOfAll = ReadonlyMap<NativeId, Ended>

/**
 * Denies the sessions of these people in this role that began up to three settling times from now: as long as IAM's
 * servers do not all know that somebody was taken out, new ones may begin, and whoever calls may take another until that is written. The caller is alone with the role, and
 * stays so while what was written may still be on its way.
 */
export const endSessionsOf = async (
  iam: Iam,
  role: Role,
  people: readonly NativeId[],
  place: Place,
): Promise<EndedOfAll> => {
  const ended = new Map<NativeId, Ended>(people.map((name) => [name, { kind: 'done', changed: false }]))
  const all = (names: Iterable<NativeId>, one: Ended): EndedOfAll => {
    for (const name of names) ended.set(name, one)
    return ended
  }
  const { settings, tools } = iam
  const { sidPrefix, settle } = settings
  const text = await steadyPolicyText(iam, role)
  if (text.kind === 'failed') return all(people, asEnded(outcomeOfRead(text.result.failure)))
  if (text.kind === 'unsteady') return all(people, asEnded(retry('role-changing', settle.ms)))
  const before = readSessionPolicy(sidPrefix, role.id, text.value)
  if (before === null) return all(people, asEnded(refusal('invalid', 'session-policy-unreadable')))
  const lacking = people.filter((name) => (before.denials.get(name) ?? 0) < tools.now() + 2 * settle.ms)
  if (lacking.length === 0) return ended
  const others = await otherPolicies(iam, role.name)
  if (!others.ok) return all(lacking, asEnded(outcomeOfRead(others.failure)))
  // Only now: the reads before may have waited for their turn.
  const now = tools.now()
  const wanted: ReadonlyMap<NativeId, number> = new Map(lacking.map((name) => [name, fullSecond(now + 3 * settle.ms)]))
  const { added, tooLarge } = addWhatFits(wanted, inlinePolicyLimit - others.value, (some) =>
    writeSessionPolicy(sidPrefix, role.id, before, some, now),
  )
  for (const [name, size] of tooLarge) {
    const cause = { code: String(size + others.value), word: 'inline-policies-too-large' }
    ended.set(name, { kind: 'refused', reason: 'limit', cause })
  }
  if (added.size === 0) return ended
  const after = writeSessionPolicy(sidPrefix, role.id, before, added, now)
  const put = await write(iam, role.name, after.document, place.gate)
  if (!put.ok) {
    const outcome = outcomeOfWrite(put.failure)
    if (outcome.kind === 'unknown') place.keep()
    return all(added.keys(), asEnded(outcome))
  }
  const shown = await readSteadily(
    iam,
    () => sessionPolicyText(iam, role.name),
    (document) => (denies(readSessionPolicy(sidPrefix, role.id, document)?.denials, after.denials) ? 'shown' : null),
  )
  if (shown.kind === 'steady') return all(added.keys(), { kind: 'done', changed: true })
  place.keep()
  if (shown.kind === 'failed') return all(added.keys(), asEnded(unverified(shown.result.failure)))
  const handle = writeHandle({ until: now + settle.ms })
  return all(added.keys(), { kind: 'pending', handle, pollAfterMs: 1_000 })
}

/** One after the other for as long as there is room: whoever does not fit keeps nobody else's sessions alive. */
const addWhatFits = (
  wanted: ReadonlyMap<NativeId, number>,
  room: number,
  write: (added: Denials) => { readonly size: number },
): { readonly added: ReadonlyMap<NativeId, number>; readonly tooLarge: ReadonlyMap<NativeId, number> } => {
  if (write(wanted).size <= room) return { added: wanted, tooLarge: new Map() }
  const added = new Map<NativeId, number>()
  const tooLarge = new Map<NativeId, number>()
  for (const [name, until] of wanted) {
    const { size } = write(new Map([...added, [name, until]]))
    if (size <= room) added.set(name, until)
    else tooLarge.set(name, size)
  }
  return { added, tooLarge }
}

/** Takes out what has outlived every session. */
export const tidySessions = async (iam: Iam, role: Role, place: Place): Promise<Ended> => {
  const { sidPrefix } = iam.settings
  const text = await steadyPolicyText(iam, role)
  if (text.kind === 'failed') return asEnded(outcomeOfRead(text.result.failure))
  // The next change of the role tidies.
  if (text.kind === 'unsteady') return { kind: 'done', changed: false }
  const before = readSessionPolicy(sidPrefix, role.id, text.value)
  if (before === null || text.value === '') return { kind: 'done', changed: false }
  const after = writeSessionPolicy(sidPrefix, role.id, before, new Map(), iam.tools.now())
  if (after.denials.size === before.denials.size) return { kind: 'done', changed: false }
  const put = await write(iam, role.name, after.document, place.gate)
  if (put.ok) return { kind: 'done', changed: true }
  const outcome = outcomeOfWrite(put.failure)
  // Should it arrive late, it would take away what the next one writes.
  if (outcome.kind === 'unknown') place.keep()
  return asEnded(outcome)
}

export const denies = (denials: Denials | undefined, wanted: Denials): boolean =>
  [...wanted].every(([name, until]) => (denials?.get(name) ?? 0) >= until)

/** No outcome of a failure is `done`. */
const asEnded = (outcome: Outcome): Ended =>
  outcome.kind === 'done' ? { kind: 'done', changed: outcome.changed } : outcome

const write = (iam: Iam, role: string, document: string, gate: Gate): Promise<Result<unknown>> => {
  const ids = { RoleName: role, PolicyName: policyNameOf(iam.settings.sidPrefix) }
  return iam.transport.write<unknown>(
    iam.bucket,
    (options) =>
      document === ''
        ? iam.client.send(new DeleteRolePolicyCommand(ids), options)
        : iam.client.send(new PutRolePolicyCommand({ ...ids, PolicyDocument: document }), options),
    gate,
  )
}

/** '' when the role has none. */
export const sessionPolicyText = (iam: Iam, role: string): Promise<Result<string>> =>
  policyText(iam, role, policyNameOf(iam.settings.sidPrefix))

/** It is written whole: what a server that is behind does not know of others' sessions would be allowed again. */
const steadyPolicyText = (iam: Iam, role: Role): Promise<Steady<string>> =>
  readSteadily(
    iam,
    () => sessionPolicyText(iam, role.name),
    (text) => text,
  )

const policyText = async (iam: Iam, role: string, name: string): Promise<Result<string>> => {
  const read = await iam.transport.read(iam.bucket, (options) =>
    iam.client.send(new GetRolePolicyCommand({ RoleName: role, PolicyName: name }), options),
  )
  if (!read.ok) return isMissing(read.failure, 'something') ? ok('') : read
  return ok(decoded(read.value.PolicyDocument ?? ''))
}

/** Characters of the role's inline policies that are not ours. */
const otherPolicies = async (iam: Iam, role: string): Promise<Result<number>> => {
  const names = await readAllPages(async (token) => {
    const read = await iam.transport.read(iam.bucket, (options) =>
      iam.client.send(new ListRolePoliciesCommand({ RoleName: role, Marker: token, MaxItems: 1_000 }), options),
    )
    if (!read.ok) return read
    const { PolicyNames, IsTruncated, Marker } = read.value
    return ok({ items: PolicyNames ?? [], next: IsTruncated ? (Marker ?? '') : undefined })
  })
  if (!names.ok) return names
  let size = 0
  for (const name of names.value) {
    if (name === policyNameOf(iam.settings.sidPrefix)) continue
    const text = await policyText(iam, role, name)
    if (!text.ok) return text
    size += sizeOf(text.value)
  }
  return ok(size)
}
