import { expect, test } from 'vitest'
import { examinedTarget } from '../../../src/app/examine-target.ts'
import type { CheckReport, Connector, Uses } from '../../../src/connectors/connector.ts'

const target: Omit<Parameters<typeof examinedTarget>[1], 'type'> = {
  protect: { accounts: [], entitlements: [] },
  mode: 'enforce',
  accounts: 'create',
  leaver: { deleteAfter: null },
}
const examined = (type: 'ad' | 'entra', report: CheckReport, own?: Connector['own']) =>
  examinedTarget(
    { check: async () => report, ...(own === undefined ? {} : { own }) } as unknown as Connector,
    { ...target, type },
    8_000,
  )
const well = { ok: true, problems: [] }
const untold =
  (cause: string): Connector['own'] =>
  async () => ({ kind: 'partial', items: [], cause })

test('a target that is well and does not tell who Muster is there: nothing would ever be written, and why', async () => {
  const { problems } = await examined('ad', well, untold('own-account-not-told'))
  expect(problems).toEqual([expect.stringMatching(/own-account-not-told.*nothing is written.*ad\.bindName/)])
})

test('all of it has one and the same time to answer', async () => {
  const signals: AbortSignal[] = []
  const connector = {
    check: async (signal: AbortSignal) => {
      signals.push(signal)
      return well
    },
    accounts: async (_: unknown, signal: AbortSignal) => {
      signals.push(signal)
      return { kind: 'complete', items: [] }
    },
  } as unknown as Connector
  const protect = { accounts: ['a'], entitlements: [] }
  await examinedTarget(connector, { ...target, type: 'ad', protect }, 8_000)
  expect(signals).toHaveLength(2)
  expect(new Set(signals).size).toBe(1)
})

test('told, or of a target where Muster is nobody: no problem', async () => {
  expect((await examined('ad', well, async () => ({ kind: 'complete', items: [] }))).problems).toEqual([])
  expect((await examined('entra', well)).problems).toEqual([])
})

test('beside another problem it is told, unless that says the same already', async () => {
  const other = { ok: false, problems: ['its clock and ours differ by 3600 s'] }
  expect((await examined('ad', other, untold('busy (51)'))).problems).toHaveLength(2)
  const same = { ok: false, problems: ['cannot bind as muster: invalid-credentials (49)'] }
  expect((await examined('ad', same, untold('invalid-credentials (49)'))).problems).toEqual(same.problems)
})

test('what only changes need is a remark, not a problem', async () => {
  expect(await examined('entra', { ...well, beforeEnforce: ['permission a is not granted', 'b'] })).toEqual({
    problems: [],
    facts: ['entra, reachable', 'needed before enforce: permission a is not granted; b'],
  })
})

test('one line for what is well, one for what is not known; no right is claimed that nobody looked at', async () => {
  const told = { facts: ['as muster', 'clocks 0 s apart'], unknown: ['whether it may write', 'when the secret ends'] }
  expect(await examined('entra', { ...well, ...told })).toEqual({
    problems: [],
    facts: ['entra, reachable; as muster; clocks 0 s apart', 'not known: whether it may write; when the secret ends'],
  })
  expect((await examined('entra', well)).facts).toEqual(['entra, reachable'])
  const ill = await examined('entra', { ok: false, problems: ['users cannot be read'], ...told })
  expect(ill.facts?.[0]).toBe('as muster; clocks 0 s apart')
})

test.each([
  ['create', null, 'enforce', { createAccounts: true, deleteAccounts: false, writes: true }],
  ['expect', 86_400_000, 'plan', { createAccounts: false, deleteAccounts: true, writes: false }],
  ['expect', null, 'observe', { createAccounts: false, deleteAccounts: false, writes: false }],
] as const)(
  'with accounts: %s, deleteAfter %s and mode %s the check is for what is used',
  async (accounts, deleteAfter, mode, uses) => {
    const asked: (Uses | undefined)[] = []
    const check: Connector['check'] = async (_, some) => {
      asked.push(some)
      return well
    }
    const connector = { check } as unknown as Connector
    await examinedTarget(connector, { ...target, type: 'entra', mode, accounts, leaver: { deleteAfter } }, 8_000)
    expect(asked).toEqual([uses])
  },
)

test.each([
  ['aws', 'none', 2],
  ['aws', 'deny-inline-policy', 1],
  ['iam', 'none', 2],
  ['iam', 'deny-inline-policy', 1],
] as const)('%s with sessions: %s is remarked where a leaver keeps live ones', async (member, sessions, lines) => {
  const { problems, facts } = await examinedTarget(
    { check: async () => well } as unknown as Connector,
    {
      ...target,
      type: member === 'aws' ? 'aws' : 'aws-iam',
      [member]: { sessions },
    },
    8_000,
  )
  expect(problems).toEqual([])
  expect(facts).toHaveLength(lines)
  expect(facts?.some((fact) => fact.includes('sessions: none'))).toBe(sessions === 'none')
})
