import type { LdapClient } from '../ldap-wire/client.ts'
import type { Entry } from '../ldap-wire/entry.ts'
import { firstValue, valuesOf } from '../ldap-wire/entry.ts'
import { type Failure, failed, ok, type Result } from '../ldap-wire/errors.ts'
import { anyObject } from './filters.ts'

/**
 * AD cuts long values (MaxValRange, 1,500 by default) and names the piece: `member;range=0-1499`, the last one
 * `member;range=1500-*` (MS-ADTS §3.1.1.3.1.3.3).
 */
export type Piece = {
  readonly values: readonly string[]
  readonly from: number
  /** Where the next piece begins; null: this is the last. */
  readonly next: number | null
}

const pattern = /^([^;]+);range=(\d+)-(\d+|\*)$/i

/** The piece of `attribute` that an entry shows. An attribute without values, or shown whole, is one last piece from 0 on. */
export const pieceOf = (entry: Entry, attribute: string): Piece => {
  const wanted = attribute.toLowerCase()
  for (const [name, values] of entry.attributes) {
    const [, base, from, to] = pattern.exec(name) ?? []
    if (base?.toLowerCase() !== wanted) continue
    return { values, from: Number(from), next: to === '*' ? null : Number(to) + 1 }
  }
  return { values: valuesOf(entry, wanted), from: 0, next: null }
}

/** Reading a long list again because it changed meanwhile. */
const maxPasses = 4
const broken: Failure = { code: '', result: null, word: 'range-broken', sent: false }
const changing: Failure = { code: '', result: null, word: 'list-changes-while-read', sent: false }

/**
 * All values of an attribute of one object, from `entry` if that shows them whole. A list that is read in pieces is only told
 * when nothing moved between them: `member` while the object's uSNChanged stands still; a back link, which moves no uSN of
 * its own object, when two readings agree.
 */
export const allValues = async (
  client: LdapClient,
  base: string,
  entry: Entry,
  attribute: 'member' | 'memberOf',
): Promise<Result<readonly string[]>> => {
  const first = pieceOf(entry, attribute)
  if (first.from === 0 && first.next === null) return ok(first.values)
  let before: string | undefined
  for (let pass = 1; pass <= maxPasses; pass += 1) {
    const read = await readPieces(client, base, attribute)
    if (!read.ok) return read
    const { values, stamps } = read.value
    if (attribute === 'member' && stamps.size === 1) return ok(values)
    if (attribute === 'memberOf') {
      const now = [...values].sort().join('\n')
      if (now === before) return ok(values)
      before = now
    }
  }
  return failed(changing)
}

const readPieces = async (
  client: LdapClient,
  base: string,
  attribute: string,
): Promise<Result<{ readonly values: readonly string[]; readonly stamps: ReadonlySet<string> }>> => {
  const values: string[] = []
  const stamps = new Set<string>()
  for (let from = 0; ; ) {
    const read = await client.search({
      base,
      scope: 'base',
      filter: anyObject,
      attributes: [`${attribute};range=${from}-*`, 'uSNChanged'],
    })
    if (!read.ok) return read
    const entry = read.value[0]
    if (entry === undefined) return failed(broken)
    const piece = pieceOf(entry, attribute)
    // A piece that is not where the last one ended, or that leads nowhere, would leave members out.
    if (piece.from !== from && piece.values.length > 0) return failed(broken)
    if (piece.next !== null && (piece.next !== from + piece.values.length || piece.values.length === 0))
      return failed(broken)
    for (const value of piece.values) values.push(value)
    stamps.add(firstValue(entry, 'uSNChanged') ?? '')
    if (piece.next === null) return ok({ values, stamps })
    from = piece.next
  }
}
