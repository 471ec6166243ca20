/** What a look at one part says: problems, else remarks; facts in any case. */
export type Answer = {
  readonly problems: readonly string[]
  readonly remarks?: readonly string[]
  readonly facts?: readonly string[]
}
