import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { freePort } from '../../scripts/stack/ports.ts'
import { muster } from '../support/cli.ts'
import { hrMessage } from '../support/hr-event.ts'
import { addresses, freshTopic } from '../support/stack.ts'

const directory = mkdtempSync(join(tmpdir(), 'muster-publish-'))
afterAll(() => rmSync(directory, { recursive: true }))

const fileOf = (count: number): string => {
  const path = join(directory, `${count}.ndjson`)
  const event = (index: number) => hrMessage({ person: `P-${index + 1}`, effectiveAt: '2024-01-01' }).value
  writeFileSync(path, `${Array.from({ length: count }, (_, index) => event(index)).join('\n')}\n`)
  return path
}
const publish = (brokers: string, ...words: readonly string[]) =>
  muster({ directory: '', env: { MUSTER_KAFKA_BROKERS: brokers } }, 'publish', ...words)
const running = () => addresses().kafkaBrokers.join(',')

test('one event is told with its place, and where to look for what it does', async () => {
  const { topic } = await freshTopic()
  expect(await publish(running(), fileOf(1), '--topic', topic)).toMatchObject({
    exit: 0,
    out: [
      `sent 1 event to ${topic}`,
      `  P-1  ${topic}/0/0`,
      '→ `muster show identity P-1`, or `muster quarantine list` when nothing changes',
      '',
    ].join('\n'),
  })
})

test('of many events the first twenty are told, the others counted; all are sent, in order', async () => {
  const { topic } = await freshTopic()
  const { out } = await publish(running(), fileOf(23), '--topic', topic)
  const lines = out.split('\n')
  expect(lines[0]).toBe(`sent 23 events to ${topic}`)
  expect(lines[20]).toBe(`  P-20  ${topic}/0/19`)
  expect(lines[21]).toBe('  … and 3 more')
  expect(lines[22]).toContain('show identity KEY')
  const next = await publish(running(), fileOf(1), '--topic', topic)
  expect(next.out).toContain(`P-1  ${topic}/0/23`)
})

test('what cannot be reached is named: the brokers, the topic, the file', async () => {
  const nobody = `127.0.0.1:${await freePort()}`
  expect(await publish(nobody, fileOf(1), '--topic', 'any')).toMatchObject({
    exit: 1,
    err: expect.stringMatching(
      new RegExp(`no Kafka broker answers at ${nobody}\n {2}→ check MUSTER_KAFKA_BROKERS.*muster doctor`),
    ),
  })
  expect(await publish(running(), fileOf(1), '--topic', 'never-made')).toMatchObject({
    exit: 1,
    err: expect.stringMatching(/topic never-made is not there\n {2}→ create it \(docs\/operators.md, What it needs\)/),
  })
  expect(await publish(running(), join(directory, 'nofile'))).toMatchObject({
    exit: 1,
    err: expect.stringMatching(/nofile cannot be read\n {2}→ name files/),
  })
})
