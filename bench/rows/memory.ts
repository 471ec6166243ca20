/** Memory of the engine's one process, with all of its threads, while events run and many identities are stored. */
import { joinerWave, warmMuster } from '../house/joined.ts'
import { persons } from '../house/people.ts'
import { storeIdentities } from '../house/stored.ts'
import type { Bench, Line } from '../row.ts'

const sampleEveryMs = 100

export const memoryLine = async (bench: Bench): Promise<Line> => {
  const { warm } = bench.scale
  const { stored, events, waves } = bench.scale.memory
  const standing = await bench.standing(events + warm)
  const joined = await warmMuster(bench.stack, standing, events, warm)
  const samples: number[][] = []
  let wave: number[] = []
  const timer = setInterval(() => wave.push(joined.serve.memory().now), sampleEveryMs)
  try {
    await storeIdentities(joined.ground.admin, stored)
    const each = Math.ceil(events / waves)
    for (let n = 0; n < waves; n++) {
      wave = []
      await joinerWave(joined, persons(n * each, Math.min(each, events - n * each)))
      samples.push(wave)
    }
    return line(samples, joined.serve.memory().highest, { stored, events })
  } finally {
    clearInterval(timer)
    await joined.leave()
  }
}

/** kB of /proc are 1,024 bytes; the goal speaks of MB. */
const megabytes = (mebibytes: number) => (mebibytes * 2 ** 20) / 1e6

const line = (
  samples: readonly (readonly number[])[],
  highest: number,
  { stored, events }: { readonly stored: number; readonly events: number },
): Line => {
  const means = samples.map((wave) => megabytes(wave.reduce((sum, n) => sum + n, 0) / wave.length))
  const value = megabytes(highest)
  return {
    what: `resident memory of the engine (all threads), ${stored.toLocaleString('en')} identities stored, ${events.toLocaleString('en')} events in ${samples.length} waves`,
    against: 'the highest that the kernel saw (VmHWM), the start included',
    value: { median: value, min: value, max: value, n: 1 },
    unit: 'MB',
    goal: { reach: 300, aim: 300, better: 'less' },
    details: [
      `means of the waves: ${means.map((mean) => mean.toFixed(0)).join(', ')} MB; the last is ${(((means.at(-1) ?? 0) / (means[1] ?? means[0] ?? 1) - 1) * 100).toFixed(1)} % above the second (flat: within 10 %)`,
    ],
    samples,
  }
}
