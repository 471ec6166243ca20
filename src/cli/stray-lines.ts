import { assertNever } from '../domain/never.ts'
import type { Stray } from '../engine/stray-accounts.ts'
import { counted } from './counted.ts'
import type { Paint } from './paint.ts'
import { tableLines } from './table.ts'

/** What `account list` says to a person. */
export const strayLines = (
  paint: Paint,
  target: string,
  accounts: number,
  strays: readonly Stray[],
): readonly string[] => {
  const of = (kind: Stray['is']) => strays.filter(({ is }) => is === kind)
  const stays = of('stays')
  const grants = stays.reduce((sum, one) => sum + (one.grants ?? 0), 0)
  const unknown = of('nobody').length
  return [
    ...(strays.length === 0
      ? [`${target}: ${counted(accounts, 'account')}, each of somebody; nobody who left has an open one`]
      : [
          ...tableLines(
            paint,
            ['account', 'name there', 'open', 'key on it', 'of'],
            strays.map((one) => [one.nativeId, one.name, one.enabled, one.key, ownerText(one, target)]),
          ),
          `${counted(strays.length, 'account')} of ${accounts} on ${target}`,
        ]),
    ...(unknown === 0
      ? []
      : [
          `${counted(unknown, 'account')} of nobody: whose one is, a human says: \`muster link PERSON ${target} ACCOUNT --reason TEXT\``,
        ]),
    ...(stays.length === 0
      ? []
      : [
          `${counted(stays.length, 'account')} of ${stays.length === 1 ? 'somebody' : 'people'} who left cannot be shut here: no call of ${target} does that; ${stays.length === 1 ? 'it holds' : 'they hold'} ${grants === 0 ? 'nothing' : counted(grants, 'grant')}`,
        ]),
  ]
}

const ownerText = ({ is, person, grants }: Stray, target: string): string => {
  switch (is) {
    case 'nobody':
      return 'nobody whom Muster knows'
    case 'own':
      return 'Muster itself: what it signs in as'
    case 'built-in':
      return `nobody: ${target} made it for itself`
    case 'protected':
      return 'nobody whom Muster knows; protected in muster.yaml'
    case 'theirs':
      return `${person} by its key; \`muster reconcile ${target}\` will link it, unless something speaks against it (\`muster finding list\`)`
    case 'left':
      return `${person}, who left`
    case 'stays':
      return `${person}, who left; holds ${grants === 0 ? 'nothing' : counted(grants ?? 0, 'grant')}`
    default:
      return assertNever(is)
  }
}
