import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeEnvFile } from '../../../scripts/stack/env-file.ts'

test('a shell that reads the file exports what was written, whatever is in it; only the owner can read it', () => {
  const dir = mkdtempSync(join(tmpdir(), 'muster-env-'))
  try {
    const value = `it's "$HOME" & \\ more`
    const file = writeEnvFile(dir, { MUSTER_ONE: value })
    expect(execFileSync('sh', ['-c', `. "$0"; printenv MUSTER_ONE`, file], { encoding: 'utf8' })).toBe(`${value}\n`)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  } finally {
    rmSync(dir, { recursive: true })
  }
})
