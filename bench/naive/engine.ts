/**
 * How such a service is usually written, with the same parts and no mistakes in it: an event becomes one job per grant,
 * a job is one modify and one Prisma create. No dedupe, no ordering, no read-back, no audit: it may only be faster for it.
 */
import { PrismaPg } from '@prisma/adapter-pg'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { Kafka, logLevel } from 'kafkajs'
import { z } from 'zod'
import { PrismaClient } from '../../src/store/generated/client.ts'
import { groupsEach } from '../house/people.ts'
import { type NaiveLdap, openNaiveDirectory } from './directory.ts'

export type NaiveSettings = {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly redisUrl: string
  readonly prefix: string
  readonly databaseUrl: string
  readonly ldap: NaiveLdap
  readonly peopleBase: string
  readonly groupsBase: string
  readonly jobsAtOnce: number
  readonly ldapConnections: number
  readonly databaseConnections: number
}

const eventSchema = z.object({
  data: z.object({
    worker: z.object({
      personKey: z.string(),
      username: z.string(),
      department: z.string(),
      status: z.enum(['active', 'terminated']),
    }),
  }),
})

type Job =
  | { readonly kind: 'add' | 'delete'; readonly person: string; readonly dn: string; readonly entitlement: number }
  | { readonly kind: 'lock'; readonly dn: string }

export type NaiveEngine = {
  /** Resolves when so many jobs are done in all. */
  readonly done: (jobs: number) => Promise<void>
  readonly stop: () => Promise<void>
}

export const startNaiveEngine = async (settings: NaiveSettings): Promise<NaiveEngine> => {
  const { prefix, peopleBase, groupsBase } = settings
  const prisma = new PrismaClient({
    adapter: new PrismaPg({ connectionString: settings.databaseUrl, max: settings.databaseConnections }),
  })
  const directory = await openNaiveDirectory(settings.ldap, settings.ldapConnections)
  const connection = () => new Redis(settings.redisUrl, { maxRetriesPerRequest: null })
  const connections = [connection(), connection()] as const
  const queue = new Queue<Job>('grants', {
    connection: connections[0],
    prefix,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  })

  const record = async (person: string, entitlementId: number, gone: boolean) => {
    const now = new Date()
    const accountId = BigInt(person.replace('P-', ''))
    await prisma.grant.create({
      data: {
        accountId,
        entitlementId,
        firstVerifiedAt: now,
        lastVerifiedAt: now,
        firstRecordedAt: now,
        ...(gone ? { goneVerifiedAt: now, goneRecordedAt: now } : {}),
      },
    })
  }
  let count = 0
  let failure: Error | undefined
  let check = () => {}
  const worker = new Worker<Job>(
    'grants',
    async ({ data }) => {
      if (data.kind === 'lock') return directory.lock(data.dn)
      await directory.change(data.kind, `cn=G${data.entitlement},${groupsBase}`, data.dn)
      await record(data.person, data.entitlement, data.kind === 'delete')
    },
    { connection: connections[1], prefix, concurrency: settings.jobsAtOnce },
  )
  worker.on('completed', () => {
    count++
    check()
  })
  worker.on('failed', (_job, error) => {
    failure ??= error
    check()
  })

  const kafka = new Kafka({ clientId: 'naive', brokers: [...settings.brokers], logLevel: logLevel.ERROR })
  const consumer = kafka.consumer({ groupId: settings.topic, maxWaitTimeInMs: 250 })
  await consumer.connect()
  await consumer.subscribe({ topic: settings.topic, fromBeginning: true })
  const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()))
  await consumer.run({
    partitionsConsumedConcurrently: 3,
    eachMessage: async ({ message }) => {
      const { worker: person } = eventSchema.parse(JSON.parse(String(message.value))).data
      const department = Number(person.department.slice(1))
      const dn = `uid=${person.username},${peopleBase}`
      const kind = person.status === 'active' ? 'add' : 'delete'
      const jobs: Job[] = Array.from({ length: groupsEach }, (_, i) => ({
        kind,
        person: person.personKey,
        dn,
        entitlement: department * groupsEach + i,
      }))
      if (kind === 'delete') jobs.push({ kind: 'lock', dn })
      await queue.addBulk(jobs.map((data) => ({ name: data.kind, data })))
    },
  })
  await joined

  return {
    done: (jobs) =>
      new Promise((resolve, reject) => {
        check = () => {
          if (failure !== undefined) reject(failure)
          else if (count >= jobs) resolve()
        }
        check()
      }),
    stop: async () => {
      await consumer.disconnect()
      await worker.close()
      await queue.close()
      for (const redis of connections) redis.disconnect()
      await prisma.$disconnect()
      await directory.close()
    },
  }
}
