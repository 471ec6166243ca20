import { dnKey } from '../../domain/dn.ts'

/** The base itself, or an entry below it; every DN is below the empty one. */
export const isWithin = (dn: string, base: string): boolean => {
  const [one, other] = [dnKey(dn), dnKey(base)]
  return other === '' || one === other || one.endsWith(`,${other}`)
}
