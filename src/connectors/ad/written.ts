/** The controller said that it is so, or a read did: not proved yet. */
export type Written = {
  readonly kind: 'written'
  readonly changed: boolean
  /** Result code of the change; '' when none was sent. */
  readonly code: string
}
