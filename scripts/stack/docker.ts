/**
 * The parts by docker-compose.yml, where a Docker daemon runs. Each part is a `docker compose up` in the foreground, so
 * it ends with us as a server process does. Written for people who have an engine; it was not run where it was written.
 */
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { checkout } from './download.ts'
import type { optionalPartNames, Part } from './part.ts'
import { type Ownership, type Server, server } from './process.ts'
import { findProgram, run } from './run-tool.ts'

/** Samba wants ports and file attributes that a container on a developer's machine seldom has: the optional parts come from packages. */
type Dockered = Exclude<Part, (typeof optionalPartNames)[number]>

const services = { kafka: 'kafka', postgres: 'postgres', redis: 'redis', slapd: 'openldap' } as const satisfies Record<
  Dockered,
  string
>

/** MUSTER_STACK_FROM=packages passes Docker by; docker insists on it. */
export async function wantsDocker(): Promise<boolean> {
  const wanted = process.env.MUSTER_STACK_FROM
  if (wanted === 'packages') return false
  if (wanted === 'docker') return true
  if (findProgram('docker') === undefined) return false
  try {
    await run('docker', ['compose', 'version'])
    await run('docker', ['info', '--format', '{{.ServerVersion}}'])
    return true
  } catch {
    return false // the program without its daemon, or without compose
  }
}

/** Stacks in different directories are different projects, with containers and volumes of their own. */
function project(dir: string): string[] {
  const name = `muster-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}`
  return [
    'compose',
    '--project-name',
    name,
    '--file',
    join(checkout, 'docker-compose.yml'),
    '--project-directory',
    checkout,
  ]
}

export type Container = {
  readonly part: Dockered
  readonly dir: string
  /** The ports and passwords of docker-compose.yml. */
  readonly env: Readonly<Record<string, string>>
  readonly probe: () => Promise<unknown>
}

export function container({ part, dir, env, probe }: Container, own: Ownership): Server {
  const service = services[part]
  const compose = project(dir)
  const logFile = join(dir, part, `${part}.log`)
  mkdirSync(join(dir, part), { recursive: true })
  const client = server(
    {
      part,
      command: ['docker', ...compose, 'up', '--no-deps', '--no-log-prefix', service],
      env,
      cwd: checkout,
      logFile,
      stopSignal: 'SIGINT',
      startSeconds: 600, // the first time, images are pulled and built
      probe,
      todo: `look at ${logFile}; MUSTER_STACK_FROM=packages does without Docker`,
    },
    own,
  )
  const tell = (...args: string[]) => run('docker', [...compose, ...args, service], { env })
  return {
    ...client,
    origin: 'docker',
    pid: undefined,
    get mark() {
      return client.mark
    },
    async kill(signal) {
      if (signal === 'SIGSTOP') await tell('pause')
      else if (signal === 'SIGCONT') await tell('unpause')
      else await tell('kill', '--signal', signal)
    },
  }
}

/** The authority of the directory's certificate, copied out of its container. */
export async function copyCaFile(dir: string, to: string): Promise<void> {
  await run('docker', [...project(dir), 'cp', `${services.slapd}:/var/lib/openldap/tls/ca.pem`, to])
}

/** Forgets containers and data. */
export async function forgetContainers(dir: string): Promise<void> {
  await run('docker', [...project(dir), 'down', '--volumes', '--timeout', '2'])
}
