/** What an administrator copies from the pages of docs/connectors: rights as the connectors ask for them, targets that load. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { manifestOf } from '../../../src/app/targets.ts'
import { loadDirectory } from '../../../src/config.ts'
import { adManifest } from '../../../src/connectors/ad/manifest.ts'
import { awsManifest } from '../../../src/connectors/aws/manifest.ts'
import { awsIamManifest } from '../../../src/connectors/aws-iam/manifest.ts'
import { permissions as ofEntra } from '../../../src/connectors/entra/manifest.ts'
import { ldapManifest } from '../../../src/connectors/ldap/manifest.ts'
import { connectorTypes, typeOf } from '../../../src/connectors/registry.ts'

const pages = new URL('../../../docs/connectors/', import.meta.url)
const blocks = (page: string, language: string): readonly string[] =>
  [...readFileSync(new URL(page, pages), 'utf8').matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, name, text]) =>
    name === language && text !== undefined ? [text] : [],
  )

/** Pages that show an IAM policy, and pages that have a table. */
const ofPolicies = [
  ['aws.md', awsManifest],
  ['aws-iam.md', awsIamManifest({ settle: { ms: 0, confirmations: 1 } })],
] as const
const ofTables = [
  ['ldap.md', ldapManifest.permissions],
  ['ad.md', adManifest({ recycleBin: false, urls: [] }).permissions],
  ['entra.md', ofEntra],
] as const

test('every connector has its permissions on its page, one way or the other', () => {
  const held = [...ofPolicies, ...ofTables].map(([page]) => page.replace('.md', ''))
  expect(held.sort()).toEqual(connectorTypes.map(({ type }) => type).sort())
})

describe('the IAM policy of a page', () => {
  type Policy = { readonly Version?: string; readonly Statement: readonly { readonly Action: readonly string[] }[] }
  const policyOf = (page: string) =>
    blocks(page, 'json')
      .map((text) => {
        try {
          return JSON.parse(text) as Policy
        } catch {
          return null
        }
      })
      .find((one) => one?.Version === '2012-10-17')

  test.each(ofPolicies)('%s: exactly what the manifest names', (page, { permissions }) => {
    const allowed = policyOf(page)?.Statement.flatMap(({ Action }) => Action)
    expect(allowed?.toSorted()).toEqual(Object.values(permissions).flat().toSorted())
  })
})

describe('the table of permissions of a page', () => {
  const tableOf = (page: string): readonly string[] => {
    const [, table = ''] =
      /^## Permissions$[\s\S]*?^\|---.*\n((?:\|.*\n)+)/m.exec(readFileSync(new URL(page, pages), 'utf8')) ?? []
    return table
      .trim()
      .split('\n')
      .map((row) => row.split(' | ').slice(1).join(' | '))
  }
  /** Names between backticks, and the rights in so many words; what stands in brackets or is quoted explains. */
  const words: Readonly<Record<string, RegExp>> = {
    'ldap.md': /`[^`]+`|\b(read|search|compare|add|write|manage|delete)\b/g,
    'ad.md':
      /`[^`]+`|\b(List Contents|Read All Properties|Read Property|Write All Properties|Reset Password|Create User objects|Delete Subtree|Delete|Write)\b/g,
    'entra.md': /`[^`]+`/g,
  }
  test.each(ofTables)('%s: row for row what the manifest names', (page, permissions) => {
    const wordsOf = (text: string) => {
      const bare = text.replace(/\((?!`searchBase`|with `User)[^)]*\)|"[^"]*"/g, '')
      return [...new Set(bare.match(words[page] as RegExp))].sort()
    }
    const named = Object.values(permissions).map((rights: readonly string[]) =>
      wordsOf(page === 'entra.md' ? rights.map((right) => `\`${right}\``).join() : rights.join()),
    )
    expect(tableOf(page).map(wordsOf)).toEqual(named)
  })
})

const directory = mkdtempSync(join(tmpdir(), 'set-up-pages-'))
afterAll(() => rmSync(directory, { recursive: true }))

test.each(readdirSync(pages).filter((page) => page !== 'README.md'))('%s: a whole target, which loads', (page) => {
  const targets = blocks(page, 'yaml').filter((text) => text.startsWith('- id:'))
  expect(targets).toHaveLength(1)
  mkdirSync(join(directory, 'secrets'), { recursive: true })
  mkdirSync(join(directory, 'policies'), { recursive: true })
  for (const name of ['secrets/ldap-password', 'secrets/ad-password', 'policies/none.yaml'])
    writeFileSync(join(directory, name), '{}\n')
  const sources = '[{ id: hr, type: kafka, topics: [hr.worker.v1] }]'
  const indented = targets.join('').replace(/^(?=.)/gm, '  ')
  writeFileSync(join(directory, 'muster.yaml'), `sources: ${sources}\ntargets:\n${indented}`)
  const loaded = loadDirectory(directory, {})
  expect(loaded.ok ? [] : loaded.problems).toEqual([])
  expect(loaded.ok && loaded.value.file.targets.map(({ mode }) => mode)).toEqual(['observe'])
  for (const target of loaded.ok ? loaded.value.file.targets : []) {
    expect(target.type).toBe(page.replace('.md', ''))
    expect(typeOf(target).nothingToDelete !== null).toBe(manifestOf(target).deleteAccount === 'none')
  }
})
