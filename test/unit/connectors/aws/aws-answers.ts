/** The connector's parts over answers of AWS that are told by the test: lists that are behind, statuses, in any order. */
import type { Aws } from '../../../../src/connectors/aws/aws.ts'
import { nothingRead } from '../../../../src/connectors/aws/before.ts'
import { createInProgress } from '../../../../src/connectors/aws/requests.ts'
import { failed, failureOf, ok } from '../../../../src/connectors/aws-wire/errors.ts'
import type { Send } from '../../../../src/connectors/aws-wire/transport.ts'
import { createLocalBudget, createLocalStore } from '../../../../src/connectors/local-budget.ts'

type Input = Readonly<Record<string, unknown>>
/** By operation: what AWS answers, or throws. */
export type Answers = Record<string, (input: Input) => unknown>

export const notFound = (type: string): Error =>
  Object.assign(new Error(), {
    name: 'ResourceNotFoundException',
    ResourceType: type,
    $fault: 'client',
    $metadata: { httpStatusCode: 404 },
  })

export const awsThatAnswers = (answers: Answers) => {
  const clock = { now: 1_000_000 }
  const called: string[] = []
  const client = {
    send: async (command: { readonly constructor: { readonly name: string }; readonly input: Input }) => {
      const operation = command.constructor.name.replace(/Command$/, '')
      called.push(operation)
      const answer = answers[operation]
      if (answer === undefined) throw new Error(`nobody told what ${operation} answers`)
      return answer(command.input)
    },
  }
  const call = async <T>(_family: unknown, send: Send<T>) => {
    try {
      return ok(await send({}))
    } catch (error) {
      return failed(failureOf(error))
    }
  }
  const budget = createLocalBudget(createLocalStore(), 'leaver', () => clock.now)
  const aws = {
    settings: {
      instanceArn: 'arn:aws:sso:::instance/ssoins-0123456789abcdef',
      identityStoreId: 'd-0123456789',
      assignments: 'manage',
      callsPerSecond: { identityStore: 20, ssoAdmin: 20 },
    },
    clients: { ssoAdmin: client, identityStore: client },
    transport: { read: call, write: call },
    tools: { budget, lane: 'leaver', now: () => clock.now, giveWay: async () => {} },
    families: {},
    permissionSetNames: new Map(),
    beingDescribed: new Map(),
    inProgress: createInProgress(),
    longLists: new Map(),
    lastAssigned: new Map(),
    before: nothingRead(),
  } as unknown as Aws
  return { aws, budget, clock, called }
}
