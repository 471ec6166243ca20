/** Starts the four real parts once for a run of `real` and `protocol` tests, and removes them with their data at its end. */
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { type Ldap, partNames } from '../../scripts/stack/part.ts'
import { progressLines } from '../../scripts/stack/progress.ts'
import { startStack } from '../../scripts/stack/stack.ts'
import { migrate, migrationsDirectory, provisionLogins } from '../../src/store/migrate.ts'
import { forgetInterrupted, testDirectory } from './test-directory.ts'

/** What a test file gets: `inject('stack')`. Plain data, for it crosses processes. */
export type Addresses = {
  readonly kafkaBrokers: readonly string[]
  /** A superuser's. */
  readonly databaseUrl: string
  /** A migrated database; `create database … template` of it takes some 30 ms. */
  readonly templateDatabase: string
  readonly passwords: { readonly engine: string; readonly auditor: string }
  readonly redisUrl: string
  readonly ldap: Ldap
}

declare module 'vitest' {
  export interface ProvidedContext {
    stack: Addresses
  }
}

type Shared = { readonly addresses: Addresses; readonly stop: () => Promise<void> }

/** Each project that has tests in the run asks by itself, from a copy of this module of its own. */
const running = globalThis as { musterTestStack?: { readonly shared: Promise<Shared>; users: number } }

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  running.musterTestStack ??= { shared: start(), users: 0 }
  const { musterTestStack: one } = running
  one.users++
  const forget = () => {
    if (running.musterTestStack === one) delete running.musterTestStack
  }
  const { addresses, stop } = await one.shared.catch((error: unknown) => {
    forget()
    throw error
  })
  project.provide('stack', addresses)
  return async () => {
    one.users--
    if (one.users > 0) return
    forget()
    await stop()
  }
}

async function start(): Promise<Shared> {
  forgetInterrupted()
  const stack = await startStack({
    dir: testDirectory(),
    parts: partNames,
    throwaway: true,
    onProgress: progressLines(process.stderr),
  })
  try {
    const templateDatabase = `muster_template_${process.pid}`
    const passwords = { engine: 'engine-of-the-tests', auditor: 'auditor-of-the-tests' }
    await createTemplate(stack.databaseUrl, templateDatabase, passwords)
    const { kafkaBrokers, databaseUrl, redisUrl, ldap } = stack
    return {
      addresses: { kafkaBrokers, databaseUrl, templateDatabase, passwords, redisUrl, ldap },
      stop: () => stack.stop({ discard: true }),
    }
  } catch (error) {
    await stack.stop({ discard: true })
    throw error
  }
}

async function createTemplate(superuser: string, name: string, passwords: Addresses['passwords']): Promise<void> {
  const client = new pg.Client({ connectionString: superuser })
  await client.connect()
  try {
    await client.query(`drop database if exists ${client.escapeIdentifier(name)} with (force)`)
    await client.query(`create database ${client.escapeIdentifier(name)}`)
  } finally {
    await client.end()
  }
  const url = new URL(superuser)
  url.pathname = `/${name}`
  await migrate(url.href, migrationsDirectory)
  await provisionLogins(url.href, passwords)
}
