/** Worker events as HR would send them, and the producer that appends them. */
import { Kafka, logLevel, type Message, type Producer } from 'kafkajs'
import { wallNow } from '../measure/wall-clock.ts'
import { displayNameOf, familyNameOf, type Person } from './people.ts'

let sent = 0

const event = (person: Person, status: 'active' | 'terminated', effectiveAt: string): Message => {
  const sequence = ++sent
  const value = {
    specversion: '1.0',
    type: 'dev.muster.hr.worker.v1',
    source: '/bench',
    id: `b-${sequence}`,
    subject: person.key,
    time: '2026-01-05T08:00:00Z',
    recordedtime: '2026-01-05T08:00:04Z',
    sequence: String(sequence).padStart(10, '0'),
    datacontenttype: 'application/json',
    data: {
      action: 'assert',
      supersedes: null,
      effectiveAt,
      timezone: 'Asia/Kolkata',
      urgency: 'normal',
      worker: {
        personKey: person.key,
        employmentKey: `E-${person.number}`,
        primary: true,
        workerType: 'employee',
        status,
        givenName: 'Given',
        familyName: familyNameOf(person),
        displayName: displayNameOf(person),
        username: person.username,
        workEmail: `${person.username}@bank.example`,
        hireDate: '2020-01-06',
        lastDayOfWork: null,
        contractEndDate: null,
        involuntary: false,
        managerKey: 'P-0',
        company: 'BANK-IN',
        department: `D${person.department}`,
        costCenter: '4711',
        location: 'Mumbai',
        country: 'IN',
        jobCode: 'RM',
        jobTitle: 'Relationship Manager',
        jobLevel: '5',
        custom: {},
      },
    },
  }
  return { key: person.key, value: Buffer.from(JSON.stringify(value)) }
}

export const joinerEvent = (person: Person): Message => event(person, 'active', '2020-01-06')
export const leaverEvent = (person: Person): Message => event(person, 'terminated', '2024-03-01')

export const kafkaOf = (brokers: readonly string[]): Kafka =>
  new Kafka({ clientId: 'bench', brokers: [...brokers], logLevel: logLevel.ERROR })

export type Feed = {
  /** Appends in order; resolves when the broker has all, with the moment before the first was sent. */
  readonly append: (messages: readonly Message[]) => Promise<number>
  readonly close: () => Promise<void>
}

/** Messages of one request: a large one would keep the broker from answering the consumer meanwhile. */
const perRequest = 500

export const openFeed = async (kafka: Kafka, topic: string): Promise<Feed> => {
  const producer: Producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  return {
    append: async (messages) => {
      const begun = wallNow()
      for (let at = 0; at < messages.length; at += perRequest)
        await producer.send({ topic, acks: -1, messages: messages.slice(at, at + perRequest) })
      return begun
    },
    close: () => producer.disconnect(),
  }
}
