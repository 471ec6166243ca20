import type { Instant } from '../../src/domain/instant.ts'
import type { WorkerEvent } from '../../src/domain/worker-event.ts'
import { hrMessage } from './hr-message.ts'
import type { HrEvent } from './scenario-file.ts'

export const instantOf = (written: string): Instant => Date.parse(written) as Instant

/** As ingest stores it at `receivedAt`. */
export const workerEvent = (event: HrEvent, receivedAt: Instant): WorkerEvent => ({
  ...hrMessage(event, 0, receivedAt).verdict.event,
  receivedAt,
})
