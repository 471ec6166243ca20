/** Where the other targets live: each a stack of its own, so that one that cannot be had leaves the others alone. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type OnProgress, type Part, StackError } from '../../stack/part.ts'
import { end } from '../../stack/process.ts'
import { type Stack, startStack } from '../../stack/stack.ts'
import { readState } from '../../stack/state.ts'
import type { Cleanup } from '../cleanup.ts'

export const otherTargets = {
  'bank-ad': { part: 'samba', label: 'Active Directory', by: 'Samba', beside: [] },
  'bank-entra': { part: 'graph', label: 'Entra ID', by: 'the Graph simulator', beside: [] },
  'bank-aws': {
    part: 'aws',
    label: 'AWS Identity Center and IAM',
    by: 'moto and simulators/aws',
    beside: ['bank-iam'],
  },
} as const satisfies Record<string, { part: Part; label: string; by: string; beside: readonly string[] }>

export type OtherTarget = keyof typeof otherTargets
export const otherTargetNames = Object.keys(otherTargets) as readonly OtherTarget[]
/** Those of the places, and those that live there beside them. */
export const targetsOn = (places: readonly OtherTarget[]): readonly string[] =>
  places.flatMap((place) => [place, ...otherTargets[place].beside])

/** Started, or why it cannot be. */
export type Place = { readonly target: OtherTarget } & (
  | { readonly stack: Stack }
  | { readonly stack: null; readonly why: string }
)

/** Where each keeps data and logs; `npm run stack` finds them there. */
export const placeDir = (dir: string, target: OtherTarget): string => join(dir, target)

/** Never rejects for a part that cannot be had. What an earlier run left there is ended and forgotten. */
export const openPlace = async (
  dir: string,
  target: OtherTarget,
  without: readonly Part[],
  onProgress: OnProgress,
  ending: Cleanup,
): Promise<Place> => {
  const { part } = otherTargets[target]
  if (without.includes(part)) return { target, stack: null, why: `--without ${part}` }
  const own = placeDir(dir, target)
  await Promise.all(Object.values(readState(own).processes).map((mark) => end(mark, 'SIGTERM')))
  rmSync(own, { recursive: true, force: true })
  try {
    const stack = await startStack({ dir: own, parts: [part], onProgress })
    ending.add(target, () => stack.stop())
    return { target, stack }
  } catch (error) {
    if (error instanceof StackError) return { target, stack: null, why: error.message }
    throw error
  }
}
