import { isOutage } from '../engine/outage.ts'
import { Complaint } from './complaint.ts'
import { printable } from './table.ts'

type Trouble = { readonly message: (named: string | null) => string; readonly hint: string }

const unreachable: Trouble = {
  message: () => 'the database cannot be reached',
  hint: 'check MUSTER_DATABASE_URL, and that PostgreSQL runs; `muster doctor` looks at every part',
}
const notThere: Trouble = {
  message: (named) => `the server has no database ${named ?? 'of this name'}`,
  hint: 'make it (`create database NAME owner LOGIN`, with the login of MUSTER_MIGRATE_DATABASE_URL), then `muster migrate`; or correct the URL',
}
const notLetIn: Trouble = {
  message: (named) => `the database does not let ${named ?? 'us'} in`,
  hint: 'check user and password of MUSTER_DATABASE_URL (`muster migrate`: MUSTER_MIGRATE_DATABASE_URL; `muster audit log`: MUSTER_AUDITOR_DATABASE_URL)',
}
const notMigrated: Trouble = {
  message: () => 'the database has no tables of Muster',
  hint: 'run `muster migrate` (MUSTER_MIGRATE_DATABASE_URL)',
}

/** By SQLSTATE (PostgreSQL, appendix A), and by Prisma's code (its error reference): commands ask in both ways. */
const troubles: Readonly<Record<string, Trouble>> = {
  '3D000': notThere,
  P1003: notThere,
  '28P01': notLetIn,
  '28000': notLetIn,
  P1000: notLetIn,
  '42P01': notMigrated,
  '3F000': notMigrated,
  P2021: notMigrated,
  P1001: unreachable,
}

/** What a database that is not there, not ours or empty means to a person; null for any other error. */
export const databaseTrouble = (error: unknown): Complaint | null => {
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown }
  const text = typeof message === 'string' ? message : ''
  const trouble =
    (typeof code === 'string' && Object.hasOwn(troubles, code) ? troubles[code] : undefined) ??
    (isOutage(error) || /Can't reach database server|ECONNREFUSED/.test(text) ? unreachable : undefined)
  if (trouble === undefined) return null
  // Prisma quotes the call that failed before it says why.
  const named = /["`]([^"`]+)["`](?: does not exist| are not valid|$)/.exec(text.trim())?.[1] ?? null
  return new Complaint(1, trouble.message(named === null ? null : printable(named)), trouble.hint)
}

/** Without the source line that Prisma puts in front of what went wrong. */
export const plainMessage = (text: string): string => text.replace(/^\s*Invalid `prisma[^`]*` invocation:\s*/, '')
