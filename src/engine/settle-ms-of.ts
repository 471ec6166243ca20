import type { TargetId } from '../domain/ids.ts'
import type { Engine } from './engine.ts'

/** How long a read of this target may not yet show a write, ms. */
export const settleMsOf = ({ connectors }: Pick<Engine, 'connectors'>, target: TargetId): number =>
  connectors.get(target)?.manifest.settleMs ?? 0
