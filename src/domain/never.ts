/** Ends an exhaustive switch: a new member of the union stops compiling here. */
export const assertNever = (value: never): never => {
  throw new Error(`not reachable: ${JSON.stringify(value)}`)
}
