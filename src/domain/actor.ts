/**
 * Who did something. At the command line that is the operating system's user, whom nobody asked for a password: said so.
 * The engine acts by itself only where its configuration tells it to.
 */
export type Actor =
  | { readonly type: 'os-user'; readonly name: string; readonly authenticated: false }
  | { readonly type: 'engine'; readonly name: string }
