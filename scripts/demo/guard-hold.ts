/** What a human does with a hold of the guard, at the command line. */
import { musterCommand } from './engine-process.ts'

type Env = Readonly<Record<string, string>>

/** What it holds now. */
export const held = async (hold: string, env: Env): Promise<{ readonly actions: number; readonly people: number }> => {
  const said = await musterCommand(['show', 'hold', hold, '--json'], env)
  return (JSON.parse(said.join('\n')) as { holds: { actions: number; people: number } }).holds
}

/** How many actions go out. */
export const releaseHold = async (hold: string, reason: string, env: Env): Promise<number> => {
  const said = await musterCommand(['hold', 'release', hold, '--reason', reason, '--json'], env)
  return (JSON.parse(said.join('\n')) as { actions: number }).actions
}
