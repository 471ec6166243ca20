/** From a topic that is full already to committed inbox rows, against kafkajs' eachBatch on the same messages. */
import { fork } from 'node:child_process'
import { join } from 'node:path'
import pg from 'pg'
import { checkout } from '../../scripts/stack/download.ts'
import type { BareResult, BareTask } from '../floor/bare-consumer.ts'
import { copyRows, rowsSince } from '../floor/table-rows.ts'
import { joinerEvent } from '../house/events.ts'
import { freshGround, type Ground, partitions } from '../house/ground.ts'
import { patience } from '../house/joined.ts'
import { persons } from '../house/people.ts'
import { untilQuiet } from '../house/quiet.ts'
import { startServe, within } from '../house/serve.ts'
import { VoidRun } from '../house/witness.ts'
import { spreadOf } from '../measure/spread.ts'
import { rangeText } from '../report/figures.ts'
import type { Bench, Line } from '../row.ts'

type Batches = readonly { readonly at: number; readonly count: number }[]

export const ingestLines = async (bench: Bench): Promise<readonly Line[]> => {
  const { messages, warm, pairs } = bench.scale.ingest
  const standing = await bench.standing(1)
  const events = persons(0, messages + warm).map(joinerEvent)
  const rates: { muster: number; bare: number; copy: number }[] = []
  for (let pair = 1; pair <= pairs; pair++) {
    const ground = await freshGround(bench.stack, standing)
    try {
      await ground.feed.append(events)
      const muster = rateAfter(await throughMuster(ground, events.length), warm)
      const bare = rateAfter(await throughBare(ground, events.length), warm)
      const copy = await throughCopy(bench, ground, events.length)
      rates.push({ muster, bare, copy })
      bench.say(
        `  ${pair}/${pairs} Muster ${muster.toFixed(0)}/s, bare ${bare.toFixed(0)}/s, COPY ${copy.toFixed(0)} rows of each table/s`,
      )
    } finally {
      await ground.leave()
    }
  }
  const bytes = events.reduce((sum, { value }) => sum + (value?.length ?? 0), 0) / events.length
  const what = `ingest: ${messages.toLocaleString('en')} messages to committed inbox rows, ${partitions} partitions filled before`
  const text = (side: 'muster' | 'bare' | 'copy') =>
    rangeText(
      rates.map((rate) => rate[side]),
      'messages/s',
    )
  return [
    {
      what,
      against: 'bare kafkajs eachBatch, same topic and fetch settings, nothing done',
      value: spreadOf(rates.map(({ muster, bare }) => muster / bare)),
      unit: 'share',
      goal: { reach: 0.3, aim: 0.6, better: 'more' },
      details: [
        `Muster ${text('muster')}, bare ${text('bare')}; ${bytes.toFixed(0)} bytes a message; both counted after the first ${warm.toLocaleString('en')}`,
        `Muster's times are those of its commits; it validates, dedupes, keeps the raw bytes and upserts an identity for each message`,
      ],
      samples: rates,
    },
    {
      what,
      against: 'one COPY of the rows that it left in inbox and identity, from memory into the same empty tables',
      value: spreadOf(rates.map(({ muster, copy }) => muster / copy)),
      unit: 'share',
      goal: null,
      details: [
        `COPY ${text('copy')}: what a durable inbox costs at least, without Kafka and without a look at anything`,
      ],
      samples: rates,
    },
  ]
}

/** The rows of a run (both tables, one transaction) into another empty database, as messages a second. */
const throughCopy = async (bench: Bench, ground: Ground, messages: number): Promise<number> => {
  const client = await ground.admin.connect()
  const rows = await rowsSince(client, 0).finally(() => client.release())
  const kept = rows.filter(({ table }) => table === 'muster.inbox' || table === 'muster.identity')
  const empty = await freshGround(bench.stack, ground.people)
  const db = new pg.Client({ connectionString: empty.adminUrl })
  try {
    await db.connect()
    const begun = performance.now()
    await copyRows(db, kept)
    return (messages * 1_000) / (performance.now() - begun)
  } finally {
    await db.end()
    await empty.leave()
  }
}

const throughMuster = async (ground: Ground, messages: number): Promise<Batches> => {
  const serve = await startServe(ground, { roles: 'ingest' })
  try {
    await untilRead(ground, messages)
    return await commits(ground.admin, messages)
  } finally {
    await serve.kill()
  }
}

/** Nobody evaluates here: read is all there is. */
const untilRead = async (ground: Ground, messages: number): Promise<void> => {
  const admin = {
    query: async () => {
      const { rows } = await ground.admin.query(
        'select coalesce(sum(next_offset), 0)::float8 as consumed, false as due, false as open from muster.stream where current',
      )
      return { rows }
    },
  } as unknown as pg.Pool
  await untilQuiet({ ...ground, admin }, messages, patience(messages / 10))
}

const commits = async (admin: pg.Pool, messages: number): Promise<Batches> => {
  const { rows } = await admin.query<{ at: number; count: number }>(
    `select (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000)::float8 as at, count(*)::int as count
      from muster.inbox where status = 'accepted' group by xmin order by 1`,
  )
  const total = rows.reduce((sum, { count }) => sum + count, 0)
  if (total !== messages) throw new VoidRun(`${total} of ${messages} messages were accepted`)
  return rows
}

const throughBare = async (ground: Ground, messages: number): Promise<Batches> => {
  const task: BareTask = { brokers: ground.bench.stack.kafkaBrokers, topic: ground.topic, messages }
  const child = fork(join(checkout, 'bench/floor/bare-consumer.ts'), {
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
    env: { PATH: process.env.PATH, KAFKAJS_NO_PARTITIONER_WARNING: '1', BENCH_BARE: JSON.stringify(task) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const guard = () => child.kill('SIGKILL')
  process.once('exit', guard)
  try {
    const result = await within(
      60_000,
      new Promise<BareResult>((resolve, reject) => {
        child.once('message', (message) => resolve(message as BareResult))
        void ended.then(() => reject(new Error('the bare consumer ended')))
      }),
      () => 'the bare consumer does not end',
    )
    await within(10_000, ended, () => 'the bare consumer does not go')
    return result.batches
  } finally {
    child.kill('SIGKILL')
    process.off('exit', guard)
  }
}

/** Messages a second from the batch on that completes the first `warm`. */
const rateAfter = (batches: Batches, warm: number): number => {
  let seen = 0
  let from: number | undefined
  let counted = 0
  for (const { at, count } of batches) {
    if (from !== undefined) counted += count
    seen += count
    if (from === undefined && seen >= warm) from = at
  }
  return (counted * 1_000) / ((batches.at(-1)?.at ?? Number.NaN) - (from ?? Number.NaN))
}
