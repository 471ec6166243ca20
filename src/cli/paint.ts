/** Colours for a terminal; for everything else the text as it is. */
export type Paint = {
  readonly [name in 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan']: (text: string) => string
}

const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const

export const paintFor = (colour: boolean): Paint => {
  const paint =
    ([on, off]: readonly [number, number]) =>
    (text: string) =>
      colour ? `\u001b[${on}m${text}\u001b[${off}m` : text
  return {
    bold: paint(codes.bold),
    dim: paint(codes.dim),
    red: paint(codes.red),
    green: paint(codes.green),
    yellow: paint(codes.yellow),
    cyan: paint(codes.cyan),
  }
}
