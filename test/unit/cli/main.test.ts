import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkout } from '../../../scripts/stack/download.ts'

/** Node's own loader is stricter than the one of the tests: what CommonJS packages export by name must load here too. */
test('the command line loads and answers in plain Node, uncoloured into a pipe', () => {
  const { status, stdout, stderr } = spawnSync(
    join(checkout, 'node_modules/.bin/node'),
    [join(checkout, 'src/cli/main.ts'), 'help'],
    { encoding: 'utf8' },
  )
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toContain('muster serve [--roles')
  expect(stdout).not.toContain('\u001b')
})
