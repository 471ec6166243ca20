/** What a running simulator is to whoever started it. */
import type { Assignments } from './assignments.ts'
import type { Faults } from './faults.ts'
import type { Moto } from './moto.ts'
import type { Rights } from './rights.ts'
import type { Signers } from './signers.ts'
import type { State } from './state.ts'
import type { Answer, Json, Service, Target } from './wire.ts'

export type SimulatorOptions = {
  /** moto's address. */
  readonly moto: string
  readonly region?: string
  /** 0: any free one. */
  readonly port?: number
  /** Items of a page at most. */
  readonly pageSize?: number
  /** Calls a second of each family. */
  readonly callsPerSecond?: number
  /** Sees every exchange of clients, after its rules: a test holds them against the service models. */
  readonly watch?: (target: Target, request: Json, answer: Answer) => void
}

export type Call = {
  readonly at: number
  readonly service: Service
  readonly operation: string
  readonly answer: string
}

export type Simulator = {
  readonly url: string
  readonly identityStoreId: string
  readonly instanceArn: string
  readonly state: State
  readonly assignments: Assignments
  /** What stands behind, asked without any rule. */
  readonly moto: Moto
  readonly faults: Faults
  /** Who signs, and whose signature is not taken any more. */
  readonly signers: Signers
  /** What SimulatePrincipalPolicy answers; null, as at the start: nobody may ask. */
  readonly setRights: (rights: Rights | null) => void
  /** What clients asked, in order, and `ok` or the error's name. Witnesses are not listed. */
  readonly calls: () => readonly Call[]
  readonly forgetCalls: () => void
  /** Of each family, as AWS raises them on request. */
  readonly setCallsPerSecond: (callsPerSecond: number) => void
  /** Asks past throttle, faults and log: a witness. */
  readonly ask: (service: Service, operation: string, body: Json) => Promise<Json>
  /** Breaks every connection. */
  readonly dropAll: () => void
  /** Nothing listens any more, and again on the same port. What moto keeps stays. */
  readonly down: () => Promise<void>
  readonly up: () => Promise<void>
  readonly close: () => Promise<void>
}
