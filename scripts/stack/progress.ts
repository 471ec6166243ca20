/** Progress of the stack in words: one changing line on a terminal, one line a step elsewhere. */
import type { OnProgress } from './part.ts'

export function progressLines(out: NodeJS.WriteStream): OnProgress {
  let open = false
  return ({ part, text, done, total }) => {
    const counted = done !== undefined && total !== undefined
    if (counted && !out.isTTY && done !== total && done !== 1) return
    const line = `${part}: ${text}${counted ? ` ${done}/${total}` : ''}`
    if (open) out.write('\r\x1b[2K')
    open = counted && out.isTTY && done !== total
    out.write(open ? line : `${line}\n`)
  }
}
