/** Ends what was opened, in reverse; safe at any moment. */
export type Cleanup = {
  add: (name: string, work: () => unknown) => void
  run: () => Promise<void>
  forget: (name: string) => void
}

export const cleanup = (): Cleanup => {
  const todo: { readonly name: string; readonly work: () => unknown }[] = []
  return {
    add: (name, work) => void todo.push({ name, work }),
    forget: (name) => void todo.splice(0, todo.length, ...todo.filter((one) => one.name !== name)),
    run: async () => {
      for (let one = todo.pop(); one !== undefined; one = todo.pop()) await Promise.resolve(one.work()).catch(() => {})
    },
  }
}
