import type { Command } from './command.ts'
import { examinableOf } from './configured.ts'

export const doctor: Command = {
  summary: 'looks at every part that Muster needs and says what is wrong',
  usage: 'doctor',
  run: async (call) => {
    const { examine } = await import('../app/examine.ts')
    const examined = await examine(examinableOf(call))
    const ok = examined.every((part) => part.ok)
    return {
      exit: ok ? 0 : 1,
      json: { ok, parts: examined },
      lines: (paint) => {
        const width = Math.max(...examined.map(({ part }) => part.length))
        return examined.flatMap(({ part, ok: well, remarks }) =>
          (remarks.length === 0 ? [''] : remarks).map(
            (remark, index) =>
              `${index === 0 ? (well ? paint.green('✓') : paint.red('✗')) : ' '} ${(index === 0 ? part : '').padEnd(width)}  ${remark}`,
          ),
        )
      },
    }
  },
}
