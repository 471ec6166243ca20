import type { Paint } from './paint.ts'

export type Cell = string | number | bigint | boolean | Date | null | undefined

export const cellText = (value: Cell): string =>
  value === null || value === undefined
    ? '–'
    : value instanceof Date
      ? timeText(value)
      : typeof value === 'boolean'
        ? value
          ? 'yes'
          : 'no'
        : printable(String(value))

export const timeText = (value: Date | number): string => new Date(value).toISOString().replace('.000Z', 'Z')

/** Text from outside (HR, directories) must not move the cursor of whoever looks at it. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, '�')

/** Columns as wide as their widest cell, two blanks apart; nothing but the headings is painted. */
export const tableLines = (
  paint: Paint,
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
): readonly string[] => {
  const texts = rows.map((row) => row.map(cellText))
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...texts.map((row) => (row[column] ?? '').length)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [paint.bold(line(headings)), ...texts.map(line)]
}

/** Name and value, one a line; what is absent is left out. */
export const pairLines = (paint: Paint, pairs: readonly (readonly [string, Cell])[]): readonly string[] => {
  const told = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '')
  const width = Math.max(0, ...told.map(([name]) => name.length))
  return told.map(([name, value]) => `${paint.dim(name.padEnd(width))}  ${cellText(value)}`)
}

export const section = (paint: Paint, title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', paint.bold(title), ...lines.map((line) => `  ${line}`)]
