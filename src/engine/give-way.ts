import type { Lane } from '../domain/action.ts'
import type { Engine } from './engine.ts'

/**
 * Bulk work calls this before each of its pieces: while a leaver is in hand on this machine, the piece waits a moment.
 * Answers whether more leavers are to be expected: then the piece is to be small.
 */
export const giveWay = async ({ settings }: Engine, lane: Lane): Promise<boolean> =>
  lane === 'bulk' && ((await settings.giveWay?.()) ?? false)
