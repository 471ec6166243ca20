/** Starts the four real parts once for a run of the `real` tests, and removes them with their data at its end. */
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

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
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
    project.provide('stack', { kafkaBrokers, databaseUrl, templateDatabase, passwords, redisUrl, ldap })
  } catch (error) {
    await stack.stop({ discard: true })
    throw error
  }
  return () => stack.stop({ discard: true })
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
