export type Kind = 'creation' | 'deletion'

/**
 * Requests that AWS is still working on: one list tells of all of one kind, where asking for each by itself would use up the
 * quota. It belongs to one connector.
 */
export type InProgress = {
  readonly asked: Map<string, { readonly kind: Kind; readonly place: string; readonly at: number }>
  readonly lists: Map<Kind, List>
}
export type List = {
  readonly at: number
  /** null: it could not be read. */
  readonly requests: Promise<ReadonlySet<string> | null>
  wasRead: boolean
}
export const createInProgress = (): InProgress => ({ asked: new Map(), lists: new Map() })
