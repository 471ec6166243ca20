import type { EverywhereWorld } from './everywhere/world.ts'
import type { DemoOptions } from './options.ts'
import type { Facts, Teller } from './teller.ts'
import type { World } from './world.ts'

export type Scene = {
  readonly world: World
  readonly tell: Teller
  readonly options: DemoOptions
  /** When the demo began, ms. */
  readonly startedAt: number
  /** Tells the statement with its tick if `work` finds it so; else tells why not, and the story ends. */
  readonly verify: <T>(
    text: string | ((value: T) => string),
    work: () => Promise<T>,
    facts?: (value: T) => Facts,
  ) => Promise<T>
}

/** Of the chapters on every target. */
export type EverywhereScene = Omit<Scene, 'world'> & { readonly world: EverywhereWorld }
