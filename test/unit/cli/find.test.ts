import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkout } from '../../../scripts/stack/download.ts'
import { muster } from '../../support/cli.ts'

const bank = join(checkout, 'examples/bank')
const env = {
  MUSTER_STACK_LDAP_URL: 'ldaps://localhost:1636',
  MUSTER_STACK_LDAP_CA_FILE: '/etc/muster/ca.pem',
  MUSTER_STACK_LDAP_SERVICE_DN: 'cn=muster',
  MUSTER_STACK_LDAP_SERVICE_PASSWORD: 'secret',
}

const say = async (...line: readonly string[]) => {
  const { exit, out, err } = await muster({ directory: '', env }, ...line)
  return { exit, out, err }
}

test('the common options may stand before, between and after the words of a command', async () => {
  const after = await say('policy', 'check', '--config', bank)
  expect(after).toMatchObject({ exit: 0, out: expect.stringContaining('no mistakes') })
  expect(await say('--config', bank, 'policy', 'check')).toEqual(after)
  expect(await say(`--config=${bank}`, 'policy', 'check')).toEqual(after)
  expect(await say('policy', '--config', bank, 'check')).toEqual(after)
  expect(await say('--json', 'policy', 'check', '--config', bank)).toEqual(
    await say('policy', 'check', '--config', bank, '--json'),
  )
})

test('only a line that asks for help is answered with help and 0; one that asks for nothing with usage and 2', async () => {
  const help = expect.stringContaining('muster serve [--roles')
  for (const line of [['help'], ['--help'], ['-h'], ['--config', bank, '--help']])
    expect({ line, ...(await say(...line)) }).toMatchObject({ line, exit: 0, out: help })
  expect(await say()).toMatchObject({ exit: 2, out: '', err: help })
  const group = await say('hold', '--help')
  expect(group).toMatchObject({ exit: 0, out: expect.stringContaining('muster hold release HOLD') })
  expect(group.out).not.toContain('muster serve')
  expect((await say('link', '--help')).out).toContain('muster account list TARGET')
  expect(await say('hold', 'show', '2')).toMatchObject({
    exit: 2,
    err: expect.stringContaining('→ muster show hold 2'),
  })
  expect(await say('--help', 'policy', 'check')).toMatchObject({
    exit: 0,
    out: expect.stringMatching(/^muster policy check/),
  })
  for (const [line, message] of [
    [['--config', 'x', 'frob'], 'there is no command frob'],
    [['--config', 'x'], 'which command?'],
    [['--json'], 'which command?'],
    [['--frob', 'policy', 'check'], 'there is no option --frob'],
    [['--config', 'x', 'policy'], 'muster policy what?'],
    [['policy', '--config', 'x', 'frob'], 'there is no command policy frob'],
  ] as const)
    expect({ line, ...(await say(...line)) }).toMatchObject({ line, exit: 2, err: expect.stringContaining(message) })
})

test('the help of a command says of each of its options what it means and takes', async () => {
  const helpOf = async (...line: readonly string[]) => (await say(...line, '--help')).out
  expect(await helpOf('reconcile')).toMatch(/\n {2}--accept-shrunken {2}believes lists/)
  expect(await helpOf('serve')).toMatch(/\n {2}--roles ROLE,… {2}which parts .*ingest,evaluate/)
  expect(await helpOf('hold', 'release')).toMatch(/\n {2}--reason TEXT {2}why.*\n {2}--person KEY… {2}only/)
  expect(await helpOf('doctor')).not.toContain('--')
})

test('--version tells the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'))
  expect(await say('--version')).toEqual({ exit: 0, out: `muster ${version}\n`, err: '' })
  expect(JSON.parse((await say('--version', '--json')).out)).toEqual({ version })
})
