import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { feedWorkers } from '../../../scripts/demo/feed.ts'
import { ldifEntries } from '../../../scripts/stack/ldif.ts'
import { bankFiles } from '../policies/bank.ts'

const bank = new URL('../../../examples/bank/', import.meta.url)
const entries = ldifEntries(readFileSync(new URL('directory.ldif', bank), 'utf8'))
const groups = entries.filter(({ values }) => values('objectClass').includes('groupOfNames')).map(({ dn }) => dn)
const lookups = bankFiles.flatMap(({ text }) => [...text.matchAll(/lookup: (cn=\S+)/g)].map(([, dn]) => dn ?? ''))

describe("the example's directory", () => {
  test('has the group of each entitlement of the catalogue, and one that no catalogue knows', () => {
    expect(lookups.length).toBeGreaterThan(20)
    expect(groups.filter((dn) => !lookups.includes(dn))).toEqual([
      'cn=Legacy_CreditReports,ou=groups,dc=bank,dc=example',
    ])
    expect(lookups.filter((dn) => !groups.includes(dn))).toEqual([])
  })

  test('is there before Muster: nobody but Meera is in it', () => {
    expect(entries.flatMap(({ values }) => values('employeeNumber'))).toEqual(['P-2001'])
    expect(entries.filter(({ values }) => values('userPassword').length > 0)).toEqual([])
    const page = readFileSync(new URL('README.md', bank), 'utf8')
    expect(page).toContain(`| \`ou=groups\` | ${groups.length} \`groupOfNames\``)
  })
})

test("the example's events are about the people of the story", () => {
  const events = readdirSync(new URL('events/', bank)).map((name) =>
    JSON.parse(readFileSync(new URL(`events/${name}`, bank), 'utf8')),
  )
  expect(events.length).toBe(7)
  for (const { subject, data } of events) expect(data.worker.personKey).toBe(subject)
})

test('the feed is the same for the same seed, and names nobody twice', () => {
  const workers = feedWorkers(2000, 1)
  expect(feedWorkers(2000, 1)).toEqual(workers)
  expect(feedWorkers(2000, 2)).not.toEqual(workers)
  expect(new Set(workers.map(({ worker }) => worker.username)).size).toBe(2000)
  const known = lookups.map((dn) => dn.slice('cn='.length, dn.indexOf(',')))
  for (const { groups: expected } of workers) for (const key of expected) expect(known).toContain(key)
})
