/** The words of the local stack: its parts, what starting one reports, and what a started one offers. */

/** What runs by default. */
export const partNames = ['kafka', 'postgres', 'redis', 'slapd'] as const
/** What runs when it is asked for by name. */
export const optionalPartNames = ['samba', 'moto', 'graph', 'aws'] as const
export const allPartNames = [...partNames, ...optionalPartNames] as const
export type Part = (typeof allPartNames)[number]

/** `part` is also 'java', 'apt' or another thing that a part needs first. `done` of `total` count bytes, jars or steps. */
export type Progress = { readonly part: string; readonly text: string; readonly done?: number; readonly total?: number }
export type OnProgress = (progress: Progress) => void

/** Where a part comes from. Only `packages` are processes of ours. */
export type Origin = 'environment' | 'docker' | 'packages'

/** Control over one server, for tests that stop, kill and restart it on the same port and data. */
export type Control = {
  readonly origin: Origin
  /** Undefined where it is not a process of this machine that we started, or while it is stopped. */
  readonly pid: number | undefined
  readonly logFile: string | undefined
  /** Ends it in an orderly way; resolves when it is gone. */
  stop(): Promise<void>
  /** Sends a signal (SIGSTOP, SIGCONT, SIGKILL …); for a deadly one, resolves when it is gone. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Starts it again, after stopping it if it still runs; resolves when it answers. */
  restart(): Promise<void>
}

/** A directory server and who may do what in it. */
export type Ldap = {
  /** ldaps://127.0.0.1:port, certificate by `caFile`. */
  readonly url: string
  /** The same directory without TLS; StartTLS works there. */
  readonly plainUrl: string
  readonly caFile: string
  readonly rootDn: string
  readonly rootPassword: string
  /** The engine's account: may write, is not the rootdn, has no size limit. */
  readonly serviceDn: string
  readonly servicePassword: string
  readonly baseDn: string
}

/** An Active Directory domain and who may do what in it. */
export type Ad = {
  /** ldaps://127.…, port 636, certificate by `caFile`. */
  readonly url: string
  /** The same domain controller without TLS. */
  readonly plainUrl: string
  readonly caFile: string
  /** A domain administrator's UPN. */
  readonly rootName: string
  readonly rootPassword: string
  /** The engine's account, a UPN: holds only the rights that docs/connectors/ad.md names. */
  readonly serviceName: string
  readonly servicePassword: string
  readonly baseDn: string
}

/** A tenant of Microsoft Entra ID behind Microsoft Graph: here simulators/graph. */
export type Graph = {
  /** https://127.0.0.1:port, certificate by `caFile`. */
  readonly url: string
  /** Where tokens come from. */
  readonly authority: string
  readonly tenantId: string
  readonly clientId: string
  readonly clientSecretFile: string
  readonly caFile: string
}

/** An instance of IAM Identity Center: here simulators/aws with moto behind it. */
export type Aws = {
  readonly endpoint: string
  readonly region: string
  readonly identityStoreId: string
  readonly instanceArn: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** A part that cannot be had or does not start: which, why, and what to do about it. */
export class StackError extends Error {
  override readonly name = 'StackError'
  readonly part: string
  constructor(part: string, why: string, todo: string) {
    super(`${part} cannot start: ${why}\n  What to do: ${todo}`)
    this.part = part
  }
}
