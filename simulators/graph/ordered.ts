/**
 * Ids in the order in which they came, each with a serial number that stays its own. A page is «the next ids after
 * serial n»: what is there throughout a paging is never skipped, whatever comes and goes meanwhile.
 */
export type Row = { readonly serial: number; readonly id: string }
export type Ordered = { rows: (Row | undefined)[]; serials: number[]; readonly at: Map<string, number> }

export const ordered = (): Ordered => ({ rows: [], serials: [], at: new Map() })

/** At the place of its serial: nearly always the last one, but a lagging copy may hear of things out of order. */
export const append = (list: Ordered, id: string, serial: number): void => {
  const place = serial > (list.serials.at(-1) ?? 0) ? list.serials.length : firstFrom(list, serial)
  list.at.set(id, serial)
  if (place === list.serials.length) {
    list.rows.push({ serial, id })
    list.serials.push(serial)
    return
  }
  list.rows.splice(place, 0, { serial, id })
  list.serials.splice(place, 0, serial)
}

export const remove = (list: Ordered, id: string): boolean => {
  const serial = list.at.get(id)
  if (serial === undefined) return false
  list.at.delete(id)
  list.rows[firstFrom(list, serial)] = undefined
  if (list.rows.length > 64 && list.at.size * 2 < list.rows.length) compact(list)
  return true
}

export const has = (list: Ordered, id: string): boolean => list.at.has(id)
export const size = (list: Ordered): number => list.at.size

/** In order, from the first one after this serial on. */
export function* after(list: Ordered, serial: number): Generator<Row> {
  for (let index = firstFrom(list, serial + 1); index < list.rows.length; index++) {
    const row = list.rows[index]
    if (row !== undefined) yield row
  }
}

export const copyOf = (list: Ordered): Ordered => ({
  rows: [...list.rows],
  serials: [...list.serials],
  at: new Map(list.at),
})

/** Index of the first row whose serial is at least this. */
const firstFrom = ({ serials }: Ordered, serial: number): number => {
  let low = 0
  let high = serials.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((serials[middle] ?? 0) < serial) low = middle + 1
    else high = middle
  }
  return low
}

const compact = (list: Ordered): void => {
  list.rows = list.rows.filter((row) => row !== undefined)
  list.serials = list.rows.map((row) => row?.serial ?? 0)
}
