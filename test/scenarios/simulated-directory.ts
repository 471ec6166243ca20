import type { RefusalReason } from '../../src/domain/outcome.ts'
import type { DirectoryEntry } from './scenario-file.ts'

type Account = {
  readonly person: string | null
  readonly username: string
  enabled: boolean
  hash: string
  readonly groups: Set<string>
}

export type Call =
  | {
      readonly kind: 'ensureAccount'
      readonly person: string
      readonly username: string
      readonly hash: string
      readonly create: boolean
    }
  | { readonly kind: 'enable' | 'disable' | 'seek'; readonly person: string }
  | { readonly kind: 'grant' | 'revoke'; readonly person: string; readonly group: string }

export type Told =
  | { readonly kind: 'done'; readonly changed: boolean; readonly origin?: 'created' | 'linked' }
  | { readonly kind: 'refused'; readonly reason: RefusalReason }

/** One target as naive as can be: what `ldapsearch` would show of a real one. */
export type SimulatedDirectory = ReturnType<typeof simulateDirectory>

export const simulateDirectory = (entries: readonly DirectoryEntry[]) => {
  const accounts: Account[] = entries.map(newAccount)
  const of = (person: string): Account | undefined => accounts.find((account) => account.person === person)

  const ensure = ({ person, username, hash, create }: Call & { kind: 'ensureAccount' }): Told => {
    const matches = accounts.filter((account) => account.person === person)
    const [match] = matches
    if (matches.length > 1) return { kind: 'refused', reason: 'account-ambiguous' }
    if (match !== undefined) {
      const changed = match.hash !== hash
      match.hash = hash
      return { kind: 'done', changed, origin: 'linked' }
    }
    if (!create) return { kind: 'refused', reason: 'account-missing' }
    if (accounts.some((account) => account.username === username)) return { kind: 'refused', reason: 'name-taken' }
    accounts.push({ person, username, enabled: true, hash, groups: new Set() })
    return { kind: 'done', changed: true, origin: 'created' }
  }

  const seek = (person: string): Told => {
    const matches = accounts.filter((account) => account.person === person)
    if (matches.length > 1) return { kind: 'refused', reason: 'account-ambiguous' }
    return matches.length === 0
      ? { kind: 'refused', reason: 'account-missing' }
      : { kind: 'done', changed: false, origin: 'linked' }
  }

  const apply = (call: Call): Told => {
    if (call.kind === 'ensureAccount') return ensure(call)
    if (call.kind === 'seek') return seek(call.person)
    const account = of(call.person)
    if (account === undefined) return { kind: 'refused', reason: 'account-missing' }
    const changed = !isSo(call)
    if (call.kind === 'grant') account.groups.add(call.group)
    else if (call.kind === 'revoke') account.groups.delete(call.group)
    else account.enabled = call.kind === 'enable'
    return { kind: 'done', changed }
  }

  const isSo = (call: Call): boolean => {
    const account = of(call.person)
    if (account === undefined) return false
    if (call.kind === 'seek') return true
    if (call.kind === 'ensureAccount') return account.hash === call.hash
    if (call.kind === 'grant' || call.kind === 'revoke')
      return account.groups.has(call.group) === (call.kind === 'grant')
    return account.enabled === (call.kind === 'enable')
  }

  return {
    apply,
    isSo,
    of,
    groupsOf: (person: string): string[] =>
      accounts.filter((account) => account.person === person).flatMap(({ groups }) => [...groups]),
    set: (entry: DirectoryEntry): void => {
      const i = accounts.findIndex(({ person }) => person === entry.person)
      if (i < 0) accounts.push(newAccount(entry))
      else accounts[i] = { ...newAccount(entry), hash: accounts[i]?.hash ?? '' }
    },
  }
}

const newAccount = ({ person, username, enabled, groups }: DirectoryEntry): Account => ({
  person,
  username: username ?? (person ?? '').toLowerCase(),
  enabled,
  hash: '',
  groups: new Set(groups),
})
