import { Redis, type RedisOptions } from 'ioredis'
import { errorFields, type Log } from '../log.ts'

/** Redis is a transport: nothing here is ever waited for without a limit, and nobody may depend on it being there. */
export type RedisLink = {
  /** It answered lately. False from the start until the first answer. */
  readonly reachable: () => boolean
  readonly onReachable: (listener: () => void) => void
  readonly onLost: (listener: () => void) => void
  /** For commands; fails at once while there is no connection. */
  readonly commands: Redis
  /** One more connection, e.g. for what blocks. Closed by `close`. */
  readonly connect: (options?: RedisOptions) => Redis
  /** The memory policy, when Redis says it; null when it does not. `noeviction` is the only safe one for queues. */
  readonly memoryPolicy: () => Promise<string | null>
  readonly close: () => void
}

const pingEveryMs = 500
const pingWithinMs = 1_000

/** Never blocks and never throws, whether Redis is there or not. */
export const openRedis = (url: string, log: Log): RedisLink => {
  const open: Redis[] = []
  let trouble = 0
  const connect = (options: RedisOptions = {}): Redis => {
    const redis = new Redis(url, {
      maxRetriesPerRequest: null,
      connectTimeout: 2_000,
      retryStrategy: (times) => Math.min(times * 100, 1_000),
      ...options,
    })
    redis.on('error', (error) => {
      trouble++
      if ((trouble & (trouble - 1)) === 0)
        log.warn({ times: trouble, ...errorFields(error) }, 'redis: connection trouble')
    })
    open.push(redis)
    return redis
  }

  const commands = connect({ enableOfflineQueue: false, commandTimeout: 2_000 })
  let up = false
  let told = false
  let closed = false
  const upListeners: (() => void)[] = []
  const downListeners: (() => void)[] = []
  const set = (now: boolean) => {
    if (now === up || closed) return
    up = now
    if (told || !now)
      log[now ? 'info' : 'warn'](
        {},
        now ? 'redis answers again' : 'redis is unreachable: leavers are taken from the database, joiners wait',
      )
    told = true
    for (const listener of now ? upListeners : downListeners) listener()
  }
  let pinging = false
  const ping = async () => {
    if (pinging || commands.status !== 'ready') return
    pinging = true
    try {
      await within(pingWithinMs, commands.ping())
      set(true)
    } catch {
      set(false)
    } finally {
      pinging = false
    }
  }
  commands.on('ready', () => void ping())
  commands.on('close', () => set(false))
  const timer = setInterval(() => void ping(), pingEveryMs)

  return {
    reachable: () => up,
    onReachable: (listener) => void upListeners.push(listener),
    onLost: (listener) => void downListeners.push(listener),
    commands,
    connect,
    memoryPolicy: async () => {
      const answer = await within(pingWithinMs, commands.config('GET', 'maxmemory-policy')).catch(() => null)
      return Array.isArray(answer) && typeof answer[1] === 'string' ? answer[1] : null
    },
    close: () => {
      closed = true
      clearInterval(timer)
      for (const redis of open) redis.disconnect()
    },
  }
}

/** Rejects after `ms`: what became of `work` is then unknown. */
export const within = <T>(ms: number, work: Promise<T>): Promise<T> => {
  work.catch(() => {}) // its own failure after the time limit is nobody's any more
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
