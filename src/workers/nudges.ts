import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { BroadcastChannel } from 'node:worker_threads'
import type { Lane } from '../domain/action.ts'
import type { Stage } from '../engine/engine.ts'
import type { RedisLink } from './redis-link.ts'

/** Hints that a stage has work: to this thread at once, to the other threads, and through Redis to other processes. */
export type Nudges = {
  readonly nudge: (stage: Stage, lane: Lane) => void
  readonly on: (stage: Stage, lane: Lane, listener: () => void) => void
  readonly close: () => void
}

/** Other processes are told at most so often about one stage and lane, ms. */
const publishEveryMs = 20

/** `installation`: what tells this installation from others in the same process or Redis, e.g. its database. */
export const openNudges = (redis: RedisLink, prefix: string, installation: string): Nudges => {
  const channelName = `${prefix}:nudge:${createHash('sha256').update(installation).digest('hex').slice(0, 16)}`
  const origin = `${hostname()}:${process.pid}`
  const listeners = new Map<string, (() => void)[]>()
  const tell = (topic: string) => {
    for (const listener of listeners.get(topic) ?? []) listener()
  }

  const threads = new BroadcastChannel(channelName)
  threads.onmessage = (event: unknown) => tell(String((event as { data: unknown }).data))
  threads.unref()

  const subscriber = redis.connect()
  subscriber.on('message', (_channel: string, message: string) => {
    const [topic = '', from = ''] = message.split('@')
    if (from !== origin) tell(topic)
  })
  subscriber.subscribe(channelName).catch(() => {}) // repeated by ioredis whenever it connects again

  const waiting = new Map<string, NodeJS.Timeout>()
  const missed = new Set<string>()
  const publish = (topic: string) => {
    if (!redis.reachable()) return
    if (waiting.has(topic)) {
      missed.add(topic)
      return
    }
    redis.commands.publish(channelName, `${topic}@${origin}`).catch(() => {})
    const again = () => {
      waiting.delete(topic)
      if (missed.delete(topic)) publish(topic)
    }
    waiting.set(topic, setTimeout(again, publishEveryMs).unref())
  }

  return {
    nudge: (stage, lane) => {
      const topic = `${stage}:${lane}`
      tell(topic)
      threads.postMessage(topic)
      publish(topic)
    },
    on: (stage, lane, listener) => {
      const topic = `${stage}:${lane}`
      listeners.set(topic, [...(listeners.get(topic) ?? []), listener])
    },
    close: () => {
      for (const timer of waiting.values()) clearTimeout(timer)
      threads.close()
    },
  }
}
