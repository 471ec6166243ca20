/** The way of somebody who puts Muster onto a target in use: observe, adopt, plan, enforce, with what the commands say on it. */
import { afterEach, expect, test } from 'vitest'
import { awaitedAccounts } from '../../../src/engine/awaited-accounts.ts'
import { reconcile } from '../../../src/engine/reconcile.ts'
import { bankFiles } from '../../support/bank-files.ts'
import { muster } from '../../support/cli.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { asDirectoryRoot } from '../../support/stack.ts'
import { auditOf } from './laws.ts'
import { leaves, lending, works } from './people.ts'

let house: House
afterEach(() => house.close())
const actor = { type: 'os-user', name: 'ida', authenticated: false } as const

const findings = async () =>
  (await house.rows<{ kind: string }>('select kind from muster.finding where closed_at is null order by kind')).map(
    ({ kind }) => kind,
  )

/** What brought what the guard looks at, in the order in which it was planned. */
const causes = async (kind: string) =>
  (
    await house.rows<{ cause: string }>(
      `select cause->>'kind' as cause from muster.action where guarded and kind = $1::muster.action_kind order by id`,
      kind,
    )
  ).map(({ cause }) => cause)

type Said = { readonly entitlement: string; readonly stands: string; readonly conflicts: unknown }

test('from observing to enforcing: what stands there is known, taken over, and all of it is still there', async () => {
  house = await openHouse({ mode: 'observe' })
  await house.shift(61_000)
  await house.sweep()
  await house.addAccount('P-1')
  await house.addMember('P-1', 'CBS_ViewOnly', 'CBS_LoanApprove', 'Staff_Vpn', 'CBS_GLPost', 'CBS_GLApprove')
  await house.addAccount('P-2', { uid: 'one' })
  await house.addAccount('P-2', { uid: 'two' })
  for (const person of ['P-1', 'P-2', 'P-3']) await house.tell(works(person, (await house.now()) - 1000))
  await house.evaluateAll()
  const run = () => reconcile(house.engine, target, { actor, signal: new AbortController().signal })
  expect(await run()).toMatchObject({ linked: 1, ambiguous: 1, uncorrelatedPeople: null, appeared: 0 })
  await house.evaluateAll()
  const unexplained = ['CBS_GLApprove', 'CBS_GLPost', 'CBS_LoanApprove', 'Staff_Vpn'].map(() => 'grant-unexplained')
  expect(await findings()).toEqual(['account-ambiguous', ...unexplained, 'sod-violation'])
  expect(await run()).toMatchObject({ linked: 0, ambiguous: 1 })
  const doubted = async () =>
    house.rows<{ detail: Readonly<Record<string, unknown>>; times: number }>(
      `select detail, times from muster.finding where kind = 'account-ambiguous' and closed_at is null`,
    )
  const [finding] = await doubted()
  const doubt = { word: 'several-accounts', by: 'employeeNumber', accounts: expect.stringMatching(/^\S{36} \S{36}$/) }
  expect(finding).toEqual({ detail: { target, ...doubt }, times: 2 })
  const accounts = String(finding?.detail.accounts).split(' ')
  const awaited = async (limit = 9) => awaitedAccounts(house.engine.db, target, limit)
  const nothing = { wanted: lending.length, action: null, state: null, deadline: null, overdue: false }
  expect(await awaited()).toMatchObject({
    count: 2,
    people: [
      { ...nothing, person: 'P-2', finding: 'account-ambiguous', doubted: accounts },
      { ...nothing, person: 'P-3', finding: null, doubted: [] },
    ],
  })
  expect(await awaited(1)).toMatchObject({ count: 2, people: [{ person: 'P-2' }] })
  // What is adopted stands in conflicts: with what is held, and with what a rule wants and nobody was told that it will be held.
  const files = bankFiles(house)
  const conflicts = [
    ['CBS_GLApprove', [{ policy: 'ledger-post-vs-approve', with: 'CBS_GLPost', how: 'held', rules: [] }]],
    ['CBS_GLPost', [{ policy: 'ledger-post-vs-approve', with: 'CBS_GLApprove', how: 'held', rules: [] }]],
    [
      'CBS_LoanApprove',
      [{ policy: 'loan-entry-vs-approve', with: 'CBS_LoanEntry', how: 'wanted', rules: ['relationship-managers'] }],
    ],
    ['Staff_Vpn', []],
  ]
  const says = async (...line: string[]) => (await muster(files, ...line)).out
  const asJson = async (...line: string[]) => (await muster(files, ...line, '--json')).json()
  const { standing } = (await asJson('adopt', 'plan', target)) as { standing: readonly Said[] }
  const rest = standing.filter((one) => one.stands === 'rest')
  expect(rest.map((one) => [one.entitlement, one.conflicts])).toEqual(conflicts)
  const wanted =
    /1 +CBS_LoanApprove +loan-entry-vs-approve +CBS_LoanEntry +wanted by relationship-managers, and held back/
  expect(await says('adopt', 'plan', target, '--people')).toMatch(wanted)
  expect(await says('adopt', 'apply', target, '--reason', 'day one')).toMatch(wanted)
  const audited = (await auditOf(house)).filter(({ kind }) => kind === 'adopted')
  expect(audited.flatMap(({ body }) => (body.conflicts ?? []) as unknown[])).toMatchObject([
    { policy: 'ledger-post-vs-approve', how: 'held' },
    { policy: 'ledger-post-vs-approve', how: 'held' },
    { policy: 'loan-entry-vs-approve', how: 'wanted' },
  ])
  await house.evaluateAll()
  expect(await says('finding', 'list', '--target', target)).toContain('sod-violation')
  expect(await house.rows('select from muster.action')).toEqual([])
  await says('target', 'mode', target, 'plan')
  await house.evaluateAll()
  expect(await asJson('hold', 'list')).toMatchObject([{ kind: 'sod', person: 'P-1', entitlement: 'CBS_LoanEntry' }])
  // What goes out, by kind, and what nobody has looked at.
  await house.rows(`update muster.finding set urgent = true where kind = 'account-ambiguous'`)
  const enforced = await says('target', 'mode', target, 'enforce')
  expect(enforced).toMatch(/\d+ ensureAccount.*, \d+ grant\n/)
  expect(enforced).toMatch(
    /open findings: `muster finding list --target bank-ldap`\n.*1 account-ambiguous \(urgent\), 4 grant-unexplained, 1 sod-violation/,
  )
  await house.quiesce()
  const groups = await house.groupsOf('P-1')
  expect(groups).toEqual(expect.arrayContaining(['CBS_LoanApprove', 'CBS_ViewOnly', 'Staff_Vpn', 'Staff_Intranet']))
  // It conflicts with what was there, which nobody takes away for it.
  expect(groups).not.toContain('CBS_LoanEntry')
  expect(new Set(await causes('grant'))).toEqual(new Set(['target']))
  // The action that needs the account comes upon the same: one finding, which names it.
  await house.sweep()
  const waits = (await doubted())[0]?.detail ?? {}
  expect(waits).toMatchObject({ ...doubt, action: expect.any(Number) })
  expect(await awaited()).toMatchObject({
    count: 1,
    people: [{ person: 'P-2', state: 'parked', finding: 'account-ambiguous', overdue: false, doubted: accounts }],
  })
  const forget = (...uids: readonly string[]) =>
    asDirectoryRoot(house.ldap, async (client) => {
      for (const uid of uids) await client.del(`uid=${uid},${house.tree.people}`)
    })
  // Mended there: nobody knows until somebody says so.
  await forget('two')
  await says('action', 'retry', `${waits.action}`, '--reason', 'one of them is gone')
  await house.quiesce()
  await house.sweep()
  expect([await doubted(), await awaited()]).toEqual([[], { count: 0, people: [] }])
  expect(await house.groupsOf('P-2')).toEqual(lending)
  // Or nothing needs the account any more.
  for (const uid of ['three', 'four']) await house.addAccount('P-4', { uid })
  await house.tell(works('P-4', (await house.now()) - 1000))
  await house.quiesce()
  expect(await doubted()).toHaveLength(1)
  await forget('three', 'four')
  await house.tell(leaves('P-4', await house.now()))
  await house.quiesce()
  await house.sweep()
  expect([await doubted(), await awaited()]).toEqual([[], { count: 0, people: [] }])
  files.remove()
})
