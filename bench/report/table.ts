import { type Line, verdictOf } from '../row.ts'
import { goalText, valueText } from './figures.ts'

const words = { aim: 'aim met', reach: 'reached', missed: 'MISSED', information: 'for information' } as const

export const tableText = (lines: readonly Line[]): string =>
  lines
    .map((line) =>
      [
        `${valueText(line).padEnd(24)} ${words[verdictOf(line)].padEnd(16)} reach ${goalText(line, 'reach')}, aim ${goalText(line, 'aim')}`,
        `    ${line.what}`,
        `    against: ${line.against}`,
        ...line.details.map((detail) => `      ${detail}`),
      ].join('\n'),
    )
    .join('\n\n')
    .concat('\n')
