import type { TargetMode } from '../domain/target.ts'
import type { Awaited, AwaitedAccounts } from '../engine/awaited-accounts.ts'
import { counted } from './counted.ts'
import type { Paint } from './paint.ts'
import { section, tableLines, timeText } from './table.ts'

export type AwaitedOn = {
  readonly target: string
  /** null: never started with it. */
  readonly mode: TargetMode | null
  readonly accounts: 'create' | 'expect'
}

/** So many are shown to a person. */
const shown = 50

/** Who should have an account there and has none: what `account list` says of them, and what becomes of it. */
export const awaitedLines = (
  paint: Paint,
  on: AwaitedOn,
  { count, people }: AwaitedAccounts,
  /** What the target calls the accounts that may be somebody's. */
  names: ReadonlyMap<string, string>,
): readonly string[] =>
  count === 0
    ? []
    : [
        ...section(
          paint,
          `${counted(count, 'person', 'people')} who should hold something on ${on.target} and ${count === 1 ? 'has' : 'have'} no account linked there`,
          tableLines(
            paint,
            ['person', 'should hold', 'since', 'account'],
            people
              .slice(0, shown)
              .map((one) => [
                one.person,
                counted(one.wanted, 'entitlement'),
                new Date(one.since),
                stateText(on, one, names),
              ]),
          ),
        ),
        ...(count <= shown
          ? []
          : [`… and ${counted(count - shown, 'more person', 'more people')}: --json has the first ${people.length}`]),
        whatFollows(on),
      ]

const stateText = ({ mode, accounts }: AwaitedOn, one: Awaited, names: ReadonlyMap<string, string>): string => {
  const ask = one.action === null ? '' : ` (\`muster show action ${one.action}\`)`
  if (one.finding === 'account-ambiguous') {
    const doubted = one.doubted.map((id) => (names.has(id) ? `${names.get(id)} (${id})` : id))
    return `not certain which${doubted.length === 0 ? '' : `: ${doubted.join(', ')}`}`
  }
  if (one.finding !== null && one.state === 'parked') return `${one.finding}${ask}`
  if (accounts === 'expect') {
    if (one.overdue) return `awaited, overdue since ${timeText(new Date(one.deadline ?? 0))}${ask}`
    return mode === 'enforce' && one.deadline !== null
      ? `awaited until ${timeText(new Date(one.deadline))}`
      : 'none found'
  }
  return mode === 'enforce' ? `to be made${ask}` : 'none found; `enforce` makes one'
}

const whatFollows = ({ target, mode, accounts }: AwaitedOn): string => {
  const stands = `who has one there all the same: write their key to it, or \`muster link PERSON ${target} ACCOUNT --reason TEXT\``
  if (accounts === 'expect')
    return `Muster makes none there (accounts: expect): nothing is granted to them before somebody else does; ${stands}`
  return mode === 'enforce' ? stands : `in \`enforce\` Muster makes one for each of them (accounts: create); ${stands}`
}
