import type { TargetId } from '../domain/ids.ts'
import type { Engine } from './engine.ts'

/** What muster.yaml says of it; undefined: nothing any more. */
export const rulesOf = (engine: Pick<Engine, 'targets'>, target: TargetId) =>
  engine.targets.find(({ id }) => id === target)
