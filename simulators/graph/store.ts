/** The directory of one tenant: where writes are decided, the log of all changes, and the copies that reads see. */
import type { Clock } from './clock.ts'
import { apply, copyDirectory, type Directory, emptyDirectory } from './directory.ts'
import { type Change, type Logged, objectsOf } from './entry.ts'

export type Replication = {
  /** How long a change takes to the copy that reads are served from, ms. 0: reads see writes at once. */
  readonly lagMs: number
  /** And to the index behind advanced queries. */
  readonly indexLagMs: number
  /** Of reads, how many are served from an up-to-date copy all the same, 0…1: an answer may flip back. */
  readonly freshShare: number
}

export type Store = {
  readonly primary: Directory
  readonly log: Logged[]
  /** Decided on `primary`; takes effect there at once, elsewhere later. */
  readonly commit: (changes: readonly Change[]) => void
  /** The copy that this read sees. */
  readonly read: (isAdvanced: boolean) => Directory
  /** The lagging copy: a write to what it does not have fails. */
  readonly lagging: () => Directory
  /** All changes up to this serial are visible to delta. */
  readonly visibleThrough: () => number
  readonly replication: ReplicationControl
}

export type ReplicationControl = {
  readonly set: (replication: Partial<Replication>) => void
  /** Changes about this object take so long more, ms. */
  readonly delay: (id: string, ms: number) => void
  /** Nothing reaches the copies until `release`. */
  readonly hold: () => void
  readonly release: () => void
}

type Pending = Logged & { readonly dueMs: number }
/** null: it is the primary itself, as nothing lags. */
type Copy = { directory: Directory | null; pending: Pending[] }

/** Applies what is due. What is about one object arrives in its order: nothing overtakes what that object waits for. */
const arrive = (directory: Directory, copy: Copy, nowMs: number): void => {
  const { pending } = copy
  const isDue = ({ dueMs }: Pending) => dueMs <= nowMs
  const firstWaiting = pending.findIndex((one) => !isDue(one))
  const due = firstWaiting === -1 ? pending : pending.slice(0, firstWaiting)
  for (const one of due) apply(directory, one)
  const rest = pending.slice(due.length)
  // Nearly always the rest is due later, all of it.
  if (!rest.some(isDue)) {
    if (due.length > 0) copy.pending = rest
    return
  }
  const blocked = new Set<string>()
  copy.pending = rest.filter((one) => {
    const objects = objectsOf(one.change)
    if (isDue(one) && !objects.some((id) => blocked.has(id))) {
      apply(directory, one)
      return false
    }
    for (const id of objects) blocked.add(id)
    return true
  })
}

export const openStore = (clock: Clock, random: () => number, initial: Replication): Store => {
  let settings = initial
  let held = false
  const primary = emptyDirectory()
  const log: Logged[] = []
  const delays = new Map<string, number>()
  const copies: Readonly<Record<'read' | 'index', Copy>> = {
    read: { directory: null, pending: [] },
    index: { directory: null, pending: [] },
  }
  const lagOf = (name: 'read' | 'index'): number => (name === 'read' ? settings.lagMs : settings.indexLagMs)
  const mayLag = (name: 'read' | 'index') => held || lagOf(name) > 0 || delays.size > 0

  const catchUp = (name: 'read' | 'index'): Directory => {
    const copy = copies[name]
    if (copy.directory === null) return primary
    if (!held && copy.pending.length > 0) arrive(copy.directory, copy, clock.monotonicMs())
    if (copy.pending.length === 0 && !mayLag(name)) copy.directory = null
    return copy.directory ?? primary
  }

  return {
    primary,
    log,
    commit: (changes) => {
      for (const name of ['read', 'index'] as const) {
        const copy = copies[name]
        if (copy.directory === null && mayLag(name) && changes.length > 0) copy.directory = copyDirectory(primary)
      }
      const now = clock.monotonicMs()
      for (const change of changes) {
        const logged: Logged = { serial: log.length + 1, change }
        log.push(logged)
        apply(primary, logged)
        const more = delays.size === 0 ? 0 : Math.max(0, ...objectsOf(change).map((id) => delays.get(id) ?? 0))
        for (const name of ['read', 'index'] as const) {
          if (copies[name].directory !== null) copies[name].pending.push({ ...logged, dueMs: now + lagOf(name) + more })
        }
      }
    },
    read: (isAdvanced) => {
      if (isAdvanced) return catchUp('index')
      const copy = catchUp('read')
      return copy !== primary && settings.freshShare > 0 && random() < settings.freshShare ? primary : copy
    },
    lagging: () => catchUp('read'),
    visibleThrough: () => {
      catchUp('read')
      const [first] = copies.read.pending
      return first === undefined ? log.length : first.serial - 1
    },
    replication: {
      set: (changed) => {
        settings = { ...settings, ...changed }
      },
      delay: (id, ms) => {
        if (ms > 0) delays.set(id, ms)
        else delays.delete(id)
      },
      hold: () => {
        held = true
      },
      release: () => {
        held = false
        for (const name of ['read', 'index'] as const)
          copies[name].pending = copies[name].pending.map((pending) => ({ ...pending, dueMs: 0 }))
      },
    },
  }
}
