/** Starts a stack in the directory of the first argument, tells its progress, and stays: a process for tests to end. */
import { partNames } from '../../../scripts/stack/part.ts'
import { startStack } from '../../../scripts/stack/stack.ts'

const [dir = '', ...options] = process.argv.slice(2)
await startStack({
  dir,
  parts: partNames,
  keepRunning: options.includes('keep'),
  onProgress: ({ part, text }) => process.stdout.write(`${part} ${text}\n`),
})
process.stdout.write('all ready\n')
if (!options.includes('keep')) setInterval(() => {}, 60_000)
