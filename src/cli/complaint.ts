/** 0 done, 1 failed, 2 usage or configuration, 3 refused by a guard or policy. */
export type ExitCode = 0 | 1 | 2 | 3

/** Why a command ends without doing what it was asked, told to the person at the terminal. */
export class Complaint extends Error {
  readonly exit: ExitCode
  /** What to do next; null when the message says it all. */
  readonly hint: string | null
  /** One line each, for what is told in several. */
  readonly details: readonly string[]
  constructor(exit: ExitCode, message: string, hint: string | null = null, details: readonly string[] = []) {
    super(message)
    this.name = 'Complaint'
    this.exit = exit
    this.hint = hint
    this.details = details
  }
}

export const usage = (message: string, hint: string | null = null): Complaint => new Complaint(2, message, hint)
export const failure = (message: string, hint: string | null = null): Complaint => new Complaint(1, message, hint)
export const refusal = (message: string, hint: string | null = null): Complaint => new Complaint(3, message, hint)
