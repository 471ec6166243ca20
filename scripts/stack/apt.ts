/**
 * Debian packages without installing them: apt (its own signatures, its own dependency solver) downloads what this
 * machine lacks into the cache, with package lists of our own there, and dpkg unpacks them. Needs no root, waits for no
 * lock of the system's apt, changes nothing outside the cache, and starts no service.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from './download.ts'
import type { OnProgress } from './part.ts'
import { findProgram, run } from './run-tool.ts'

export type Unpacked = { readonly root: string; readonly env: Readonly<Record<string, string>> }

export function hasApt(): boolean {
  return findProgram('apt-get') !== undefined && findProgram('dpkg') !== undefined
}

/** The packages and what they need, unpacked as a file tree; `env` lets programs in it find their libraries. */
export async function unpack(name: string, packages: readonly string[], onProgress: OnProgress): Promise<Unpacked> {
  const root = await cached(`apt-${name}`, async (into) => {
    const scratch = `${into}.apt`
    rmSync(scratch, { recursive: true, force: true })
    for (const dir of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(scratch, dir), { recursive: true })
    const conf = join(scratch, 'apt.conf')
    writeFileSync(conf, settings(scratch))
    const env = { APT_CONFIG: conf, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' }
    try {
      onProgress({ part: 'apt', text: 'reading package lists' })
      await run('apt-get', ['update', '-qq'], { env })
      onProgress({ part: 'apt', text: `downloading ${packages.join(', ')}` })
      await run(
        'apt-get',
        ['install', '-y', '-qq', '--reinstall', '--no-install-recommends', '--download-only', ...packages],
        { env },
      )
      const archives = join(scratch, 'cache', 'archives')
      const files = readdirSync(archives).filter((file) => file.endsWith('.deb'))
      for (const file of files) await run('dpkg', ['-x', join(archives, file), into])
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
  })
  return { root, env: { LD_LIBRARY_PATH: libraries(root).join(':') } }
}

/** Installed into the system, as root, for what cannot run elsewhere. Services are not started: this is denied meanwhile. */
export async function install(packages: readonly string[], onProgress: OnProgress): Promise<void> {
  const denial = '/usr/sbin/policy-rc.d' // Debian policy 9.3.3.1: 101 = action forbidden
  const isOurs = !existsSync(denial)
  if (isOurs) writeFileSync(denial, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  const env = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' }
  try {
    onProgress({ part: 'apt', text: 'reading package lists' })
    await run('apt-get', ['update', '-qq'], { env })
    onProgress({ part: 'apt', text: `installing ${packages.join(', ')}` })
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env })
  } finally {
    if (isOurs) rmSync(denial, { force: true })
  }
}

function settings(scratch: string): string {
  return [
    `Dir::State::lists "${scratch}/lists";`,
    `Dir::Cache "${scratch}/cache";`,
    `Dir::Cache::archives "${scratch}/cache/archives";`,
    `Dir::Log "${scratch}";`,
    'Debug::NoLocking "true";',
    'Acquire::Languages "none";',
    'Acquire::Retries "3";',
    'APT::Sandbox::User "";', // the cache may lie below a directory that only its owner may enter
    'Binary::apt-get::APT::Keep-Downloaded-Packages "true";',
    '',
  ].join('\n')
}

function libraries(root: string): string[] {
  const found: string[] = []
  for (const base of ['usr/lib', 'lib']) {
    const dir = join(root, base)
    for (const entry of entries(dir))
      if (entry.endsWith('-linux-gnu') || entry.includes('-linux-')) found.push(join(dir, entry))
    found.push(dir)
  }
  return found
}

function entries(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
