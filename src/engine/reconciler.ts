import type { Engine } from './engine.ts'

/** What reconciliation needs of the engine: the command line has no more. */
export type Reconciler = Pick<Engine, 'db' | 'connectors' | 'nudge'> & {
  readonly settings: Pick<Engine['settings'], 'pause'>
}
