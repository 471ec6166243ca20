import type { Config } from '../config.ts'
import type { TargetId } from '../domain/ids.ts'
import type { TargetMode } from '../domain/target.ts'

type Target = Pick<Config['targets'][number], 'id' | 'mode'>

/** Targets of which muster.yaml says another mode than the one that counts, with what to do. */
export const otherModes = (
  targets: readonly Target[],
  modes: ReadonlyMap<TargetId, TargetMode>,
): readonly { readonly target: string; readonly remark: string }[] =>
  targets.flatMap(({ id, mode }) => {
    const counts = modes.get(id as TargetId)
    if (counts === undefined || counts === mode) return []
    return [
      {
        target: id,
        remark: `in mode ${counts}; \`mode: ${mode}\` of muster.yaml counted at the first start only: write ${counts} there, or \`muster target mode ${id} ${mode}\``,
      },
    ]
  })
