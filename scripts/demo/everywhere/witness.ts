/** Who looks at a target for the demo: never the connector, and what it says is all that the demo believes. */
export type Witness = {
  readonly target: string
  /** As people call the system. */
  readonly label: string
  /** The program that looks. */
  readonly by: string
  /** Keys of the entitlements that the target itself shows for this person, in order. */
  readonly holds: (person: string) => Promise<readonly string[]>
  /** `always-open`: the target cannot disable anybody. */
  readonly account: (person: string) => Promise<'none' | 'open' | 'shut' | 'always-open'>
}
