import { randomBytes } from 'node:crypto'
import type { NativeId } from '../../domain/ids.ts'
import type { Outcome } from '../../domain/outcome.ts'
import type { Missing } from '../correlate-others.ts'
import { refused, retry } from './answers.ts'
import { bodyOf, namesOf, unfit, wantedAttributes } from './attributes.ts'
import type { Directory } from './directory.ts'
import { type Failure, outcomeOfRead, outcomeOfWrite, type Result } from './errors.ts'
import { users } from './paths.ts'
import { rootOf } from './properties.ts'
import type { Gate } from './transport.ts'
import { readUser, type User, valuesOf } from './user.ts'
import { foldKey, usersBy } from './users.ts'

export type Created = {
  readonly index: number
  readonly result: { readonly kind: 'created'; readonly id: NativeId; readonly code: string } | Outcome
}
type Draft = Missing & {
  readonly names: NonNullable<ReturnType<typeof namesOf>>
  readonly body: Readonly<Record<string, unknown>>
}

/** Creates the accounts that nobody has yet. `created` is Graph's word, not yet proved. */
export const createAccounts = async (
  directory: Directory,
  missing: readonly Missing[],
  gate: Gate,
): Promise<readonly Created[]> => {
  const { client, settings } = directory
  const created: Created[] = []
  const drafts: Draft[] = []
  for (const { index, operation } of missing) {
    const { worker, correlation } = operation.wanted
    const names = namesOf(settings, worker)
    const wanted = wantedAttributes(settings, worker)
    if (names === null) created.push({ index, result: refused('invalid', 'name-template-empty') })
    else if (unfit(wanted) !== null) created.push({ index, result: refused('invalid', 'value-unfit') })
    else {
      const values = [...wanted, [settings.correlation, [correlation.value]] as const].filter(
        ([, some]) => some.length > 0,
      )
      drafts.push({ index, operation, names, body: { ...bodyOf(values), ...names, accountEnabled: true } })
    }
  }
  const free = await freeNames(directory, drafts, created)
  await Promise.all(
    free.map(async (draft) => {
      const { index, body } = draft
      const sent = await client.write(
        { method: 'POST', resource: users, body: { ...body, ...initialPassword() } },
        gate,
      )
      if (!sent.ok) return created.push({ index, result: await explain(directory, draft, sent.failure) })
      const user = readUser(sent.value.body)
      // Made, and not said as what: found by its key when the call is repeated.
      if (user === null)
        return created.push({ index, result: { kind: 'unknown', cause: { code: '201', word: 'id-not-legible' } } })
      const code = sent.value.requestId
      return created.push({ index, result: { kind: 'created', id: user.id as NativeId, code } })
    }),
  )
  return created
}

/** A password that nobody ever knows: the person gets theirs by the directory's own reset. All four classes of characters. */
const initialPassword = () => ({
  passwordProfile: { forceChangePasswordNextSignIn: true, password: `aA1!${randomBytes(24).toString('base64url')}` },
})

type Holders = { readonly of: (draft: Draft) => readonly User[] }

const readHolders = async ({ client, settings }: Directory, drafts: readonly Draft[]): Promise<Result<Holders>> => {
  const select = ['id', 'userPrincipalName', 'mailNickname', rootOf(settings.correlation)]
  const names = drafts.map(({ names: { userPrincipalName } }) => userPrincipalName)
  const nicknames = drafts.map(({ names: { mailNickname } }) => mailNickname)
  const [byName, byNickname] = await Promise.all([
    usersBy(client, 'userPrincipalName', names, select),
    usersBy(client, 'mailNickname', nicknames, select),
  ])
  if (!byName.ok) return byName
  if (!byNickname.ok) return byNickname
  const index = (some: readonly User[], property: string) =>
    Map.groupBy(some, (user) => foldKey(valuesOf(user, property)[0] ?? ''))
  const [ofName, ofNickname] = [index(byName.value, 'userPrincipalName'), index(byNickname.value, 'mailNickname')]
  const of = ({ names: { userPrincipalName, mailNickname } }: Draft) => [
    ...(ofName.get(foldKey(userPrincipalName)) ?? []),
    ...(ofNickname.get(foldKey(mailNickname)) ?? []),
  ]
  return { ok: true, value: { of } }
}

/** Drafts whose names nobody has, neither in the directory nor earlier in this call. */
const freeNames = async (
  directory: Directory,
  drafts: readonly Draft[],
  created: Created[],
): Promise<readonly Draft[]> => {
  if (drafts.length === 0) return []
  const holders = await readHolders(directory, drafts)
  const given = new Set<string>()
  return drafts.filter((draft) => {
    const { index, names } = draft
    const refuse = (result: Outcome) => {
      created.push({ index, result })
      return false
    }
    if (!holders.ok) return refuse(outcomeOfRead(holders.failure, 'account'))
    const taken = takenBy(directory, draft, holders.value)
    if (taken !== null) return refuse(taken)
    const keys = [`upn ${foldKey(names.userPrincipalName)}`, `nickname ${foldKey(names.mailNickname)}`]
    if (keys.some((key) => given.has(key))) return refuse(refused('name-taken', 'name-taken'))
    for (const key of keys) given.add(key)
    return true
  })
}

/** Somebody has the name; when it is this very person, the search by key has not seen the account yet. */
const takenBy = ({ settings }: Directory, draft: Draft, holders: Holders): Outcome | null => {
  const some = holders.of(draft)
  if (some.length === 0) return null
  const { value } = draft.operation.wanted.correlation
  return some.some((user) => valuesOf(user, settings.correlation)[0] === value)
    ? retry('not-replicated')
    : refused('name-taken', 'name-taken')
}

const sameValue = /same value for property/i

/** Why Graph did not create it: reads tell whether the name was taken meanwhile. */
const explain = async (directory: Directory, draft: Draft, failure: Failure): Promise<Outcome> => {
  const outcome = outcomeOfWrite(failure, 'account')
  if (failure.status !== 400 && failure.status !== 409) return outcome
  const holders = await readHolders(directory, [draft])
  const taken = holders.ok ? takenBy(directory, draft, holders.value) : null
  if (taken !== null) return taken
  return sameValue.test(failure.message ?? '') ? retry('name-taken-unseen', failure.code) : outcome
}
