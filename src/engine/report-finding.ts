import { type Finding, openFinding } from '../store/findings.ts'
import type { Engine } from './engine.ts'

/** For what is found outside the engine's own transactions. Seen again, it is counted, not repeated. */
export const reportFinding = (engine: Pick<Engine, 'db'>, finding: Finding): Promise<void> =>
  openFinding(engine.db, finding)
