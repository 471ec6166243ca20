import type { TargetMode } from '../domain/target.ts'
import { counted } from './counted.ts'

export type Links = {
  readonly target: string
  /** null: never started with it. */
  readonly mode: TargetMode | null
  /** Accounts that are linked there. */
  readonly linked: number
  /** People with open actions there who have no linked account. */
  readonly unlinked: number
}

/** Before anything is sent, only a reconciliation looks people up: until then what stands there already seems to be missing. */
export const linksMissing = ({ target, mode, linked, unlinked }: Links): readonly string[] => {
  if (mode === null || mode === 'enforce') return []
  if (unlinked <= linked && (mode === 'plan' || linked > 0)) return []
  const whom = unlinked === 0 ? '' : `, and ${counted(unlinked, 'person has', 'people have')} actions here without one`
  return [
    `${counted(linked, 'account')} linked yet${whom}: \`muster reconcile ${target}\` links those that stand there, with what they hold`,
  ]
}
