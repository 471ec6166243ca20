import type { Config } from '../config.ts'
import type { Call } from './command.ts'
import { usage } from './complaint.ts'
import { configOf } from './configured.ts'

/** What muster.yaml says of the target of this name. */
export const targetNamed = (call: Call, name: string): Config['targets'][number] => {
  const { targets } = configOf(call)
  const found = targets.find(({ id }) => id === name)
  if (found === undefined)
    throw usage(`muster.yaml has no target ${name}`, `it has ${targets.map(({ id }) => id).join(', ')}`)
  return found
}
