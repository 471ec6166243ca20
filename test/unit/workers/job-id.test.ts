import { expect, test } from 'vitest'
import { jobId, queueName } from '../../../src/workers/queues.ts'

test('every queueing of a dispatch has a job id of its own, in a form that BullMQ takes', () => {
  const first = jobId({ id: 7, target: 'corp', lane: 'leaver', queueNo: 1 })
  const again = jobId({ id: 7, target: 'corp', lane: 'leaver', queueNo: 2 })
  expect([first, again]).toEqual(['d-7-1', 'd-7-2'])
  for (const id of [first, again]) expect(id).not.toMatch(/:|^\d+$/)
})

test('lanes and targets share no queue', () => {
  expect(queueName('corp', 'leaver')).toBe('muster-corp-leaver')
  expect(new Set([queueName('corp', 'leaver'), queueName('corp', 'bulk'), queueName('corp-2', 'bulk')]).size).toBe(3)
})
