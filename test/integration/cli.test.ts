import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/store/database.ts'
import { bankFiles } from '../support/bank-files.ts'
import { muster } from '../support/cli.ts'
import type { ConfigDirectory } from '../support/config-directory.ts'
import { type House, openHouse } from '../support/house.ts'
import { asDirectoryRoot, freshTopic } from '../support/stack.ts'

let house: House
let files: ConfigDirectory
beforeAll(async () => {
  house = await openHouse()
  const { topic } = await freshTopic()
  files = bankFiles(house, {
    topics: [topic],
    env: { MUSTER_MIGRATE_DATABASE_URL: house.database.adminUrl },
  })
  const at = (await house.now()) - 1000
  await house.tell({
    person: 'P-1',
    effectiveAt: at,
    attributes: { jobCode: 'RM', department: 'LENDING', country: 'IN' },
  })
  await house.quiesce()
  // A second employment whose access conflicts with the first: held.
  await house.tell({
    person: 'P-1',
    employment: 'P-1-2',
    primary: false,
    effectiveAt: at,
    attributes: { jobCode: 'CA', department: 'LENDING', country: 'IN' },
  })
  await house.quiesce()
})
afterAll(async () => {
  files.remove()
  await house.close()
})

const entries = async (kind: string) =>
  (
    await house.rows<{ body: Record<string, unknown> }>(
      `select convert_from(bytes, 'UTF8')::jsonb as body from audit.entry where kind = $1`,
      kind,
    )
  ).map(({ body }) => body)

describe('usage', () => {
  test('help lists every command; an unknown one is told, with exit 2 and a hint', async () => {
    const help = await muster(files, '--help')
    expect(help).toMatchObject({ exit: 0, err: '' })
    for (const words of ['serve', 'doctor', 'policy apply', 'why-not PERSON', 'quarantine replay', 'audit log'])
      expect(help.out).toContain(`muster ${words}`)
    expect(await muster(files, 'sevre')).toMatchObject({ exit: 2, err: expect.stringContaining('muster help') })
    expect(await muster(files, 'hold', 'unhold')).toMatchObject({
      exit: 2,
      err: expect.stringContaining('list, release, reject'),
    })
    expect(await muster(files, 'show', 'identity', 'P-1', '--jsno')).toMatchObject({
      exit: 2,
      err: expect.stringContaining('usage: muster show identity'),
    })
  })

  test('with --json a complaint is JSON too', async () => {
    const said = await muster(files, 'show', 'identity', 'P-0', '--json')
    expect(said.exit).toBe(1)
    expect(said.json()).toMatchObject({ error: { message: expect.stringContaining('nobody') } })
  })

  test('a missing configuration says what to do; a wrong one says all of it', async () => {
    expect(await muster({ directory: '', env: {} }, 'policy', 'check')).toMatchObject({
      exit: 2,
      err: expect.stringContaining('--config DIR'),
    })
    const said = await muster(
      {
        directory: files.directory,
        env: { ...files.env, MUSTER_REDIS_URL: undefined, MUSTER_LDAP_PASSWORD: undefined },
      },
      'doctor',
    )
    expect(said.exit).toBe(2)
    expect(said.err).toMatch(/MUSTER_REDIS_URL is not set[\s\S]*MUSTER_LDAP_PASSWORD is not set/)
  })
})

describe('looking', () => {
  test('doctor looks at every part', async () => {
    const said = await muster(files, 'doctor', '--json')
    expect(said.json()).toMatchObject({ ok: true })
    expect((said.json() as { parts: { part: string }[] }).parts.map(({ part }) => part)).toEqual([
      'policies',
      'database',
      'engine',
      'redis',
      'kafka',
      'target bank-ldap',
    ])
    const target = (said.json() as { parts: { remarks: string[] }[] }).parts.at(-1)
    expect(target?.remarks).toEqual([
      expect.stringMatching(/^ldap, reachable; as cn=muster,ou=services,dc=bank,dc=example, by password; people below/),
      expect.stringMatching(/^not known: whether it may write .*; when the password ends; its clock/),
    ])
    expect(said.out).not.toContain(files.env.MUSTER_LDAP_PASSWORD)
    const nowhere = await muster(
      {
        ...files,
        env: {
          ...files.env,
          MUSTER_KAFKA_BROKERS: '127.0.0.1:1',
          MUSTER_LDAP_PASSWORD: 'wrong',
          MUSTER_DATABASE_URL: house.database.adminUrl,
        },
      },
      'doctor',
    )
    expect(nowhere.exit).toBe(1)
    expect(nowhere.out).toMatch(
      /✗ database .*is a superuser[\s\S]*✗ kafka .*MUSTER_KAFKA_BROKERS[\s\S]*✗ target bank-ldap/,
    )
  })

  test('doctor tells of protected accounts that nobody has: nobody would be protected', async () => {
    const [there, gone] = [String(await house.idOf('P-1')).toUpperCase(), '6f9619ff-8b86-4d01-b42d-00cf4fc964ff']
    const { directory, env } = bankFiles(house, {
      target: { protect: { accounts: [there, gone] } },
    })
    const said = await muster({ ...files, directory, env: { ...files.env, ...env } }, 'doctor')
    expect(said.out).toContain(`no account is ${gone}`)
    expect(said.out).not.toContain(there)
  })

  test('show identity tells what is held, wanted and held back', async () => {
    const said = await muster(files, 'show', 'identity', 'P-1', '--json')
    expect(said.json()).toMatchObject({
      personKey: 'P-1',
      lifecycle: 'active',
      accounts: [{ target: 'bank-ldap', enabled: true }],
      holds: [{ entitlement: 'CBS_LoanApprove' }],
    })
    const held = (said.json() as { held: { entitlement: string }[] }).held.map(({ entitlement }) => entitlement)
    expect(held).toEqual(expect.arrayContaining(['CBS_ViewOnly', 'CBS_LoanEntry']))
    const text = await muster(files, 'show', 'identity', 'P-1')
    expect(text.out).toMatch(/held, as last verified[\s\S]*CBS_LoanEntry[\s\S]*holds[\s\S]*CBS_LoanApprove/)
  })

  test('show entitlement, action, dispatch and hold', async () => {
    expect((await muster(files, 'show', 'entitlement', 'CBS_LoanEntry', '--json')).json()).toMatchObject({
      managed: true,
      holders: 1,
      grants: [{ person: 'P-1' }],
    })
    expect((await muster(files, 'show', 'entitlement', 'CBS_Nothing')).exit).toBe(1)
    const [action] = await house.rows<{ id: number; dispatch_id: number }>(
      `select id, dispatch_id from muster.action where kind = 'grant' order by id limit 1`,
    )
    expect((await muster(files, 'show', 'action', String(action?.id), '--json')).json()).toMatchObject({
      person: 'P-1',
      kind: 'grant',
      state: 'done',
    })
    await house.rows(
      `insert into muster.finding (kind, key, urgent, detail, opened_at, seen_at)
        values ('limit', $1, true, '{"todo": "attach {\\"Effect\\":\\"Deny\\"}"}', muster.now(), muster.now())`,
      `action:${action?.id}`,
    )
    expect((await muster(files, 'show', 'action', String(action?.id))).out).toMatch(
      /to be looked at\s+limit\s+attach {"Effect":"Deny"}/,
    )
    expect((await muster(files, 'show', 'dispatch', String(action?.dispatch_id), '--json')).json()).toMatchObject({
      state: 'done',
      actions: [expect.objectContaining({ person: 'P-1' })],
    })
    const [hold] = await house.rows<{ id: number }>('select id from muster.hold')
    expect((await muster(files, 'show', 'hold', String(hold?.id), '--json')).json()).toMatchObject({
      kind: 'sod',
      person: 'P-1',
      entitlement: 'CBS_LoanApprove',
    })
    const shown = (await muster(files, 'show', 'hold', String(hold?.id))).out
    expect(shown).toMatch(/why it is wanted\n(.*\n)*.*loan.*\n(.*\n)*\s*what to do\n/i)
    expect(shown).toContain(`muster hold reject ${hold?.id} --reason TEXT`)
    expect((await muster(files, 'show', 'action', 'x')).exit).toBe(2)
  })

  test('why and why-not print the derivation, at any moment', async () => {
    const why = await muster(files, 'why', 'P-1', 'CBS_LoanEntry')
    expect(why.exit).toBe(0)
    expect(why.out).toMatch(/CBS_LoanEntry: wanted and held[\s\S]*rule .* gives it for employment P-1-1/)
    const whyNot = await muster(files, 'why-not', 'P-1', 'CBS_LoanApprove')
    expect(whyNot.out).toMatch(/held back by separation of duties[\s\S]*CBS_LoanEntry[\s\S]*hold \d+ is open/)
    expect(
      (await muster(files, 'why', 'P-1', 'CBS_LoanEntry', '--at', '2001-01-01T00:00:00Z', '--json')).json(),
    ).toMatchObject({ wanted: { kind: 'no' }, present: [] })
    expect(await muster(files, 'why', 'P-1', 'CBS_LoanEntri')).toMatchObject({
      exit: 1,
      err: expect.stringContaining('did you mean CBS_LoanEntry?'),
    })
    expect(await muster(files, 'why', 'P-1', 'CBS_LoanEntry', '--at', 'yesterday')).toMatchObject({ exit: 2 })
  })

  test('audit log is the chain, read under the auditors role', async () => {
    const trail = (await muster(files, 'audit', 'log', 'P-1', '--json')).json() as {
      kind: string
      operation: string | null
      entitlement: string | null
    }[]
    expect(trail.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['decision', 'attempt', 'outcome']))
    expect(
      trail.some(
        ({ kind, operation, entitlement }) =>
          kind === 'outcome' && operation === 'grant' && entitlement === 'CBS_LoanEntry',
      ),
    ).toBe(true)
    expect((await muster(files, 'audit', 'log', 'P-1')).out).toMatch(/outcome +grant, attempt 1 +CBS_LoanEntry/)
  })

  test('migrate finds everything done', async () => {
    expect((await muster(files, 'migrate', '--json')).json()).toMatchObject({
      applied: [],
      already: expect.any(Number),
    })
  })
})

describe('acting', () => {
  test('target mode is changed, audited, and everybody is evaluated again', async () => {
    expect(await muster(files, 'target', 'mode', 'bank-ldap', 'plan')).toMatchObject({
      exit: 0,
      out: expect.stringContaining('enforce → plan'),
    })
    expect((await muster(files, 'target', 'list', '--json')).json()).toMatchObject([{ id: 'bank-ldap', mode: 'plan' }])
    const planned = (await muster(files, 'why', 'P-1', 'CBS_LoanEntry')).out
    expect(planned).toContain('bank-ldap is in mode plan: nothing is sent')
    expect(planned).not.toContain('may not be known')
    expect(await entries('target-mode-set')).toMatchObject([
      { target: 'bank-ldap', before: 'enforce', after: 'plan', actor: { type: 'os-user', authenticated: false } },
    ])
    expect(await house.rows('select 1 from muster.identity where work_due_at <= muster.now()')).toHaveLength(1)
    expect(await muster(files, 'target', 'mode', 'bank-ldap', 'enforce')).toMatchObject({ exit: 0 })
    for (const line of [
      ['target', 'mode', 'nowhere', 'plan'],
      ['account', 'list', 'nowhere'],
      ['action', 'list', 'nowhere'],
      ['reconcile', 'nowhere'],
    ])
      expect({ line, ...(await muster(files, ...line)) }).toMatchObject({
        line,
        exit: 2,
        err: expect.stringContaining('it has bank-ldap'),
      })
    expect(await muster(files, 'target', 'mode', 'bank-ldap', 'force')).toMatchObject({
      exit: 2,
      err: expect.stringMatching(/no mode force[\s\S]*observe, plan, enforce/),
    })
    await house.quiesce()
  })

  test('what is parked is retried with a reason, one action or all of a target; what is not is refused, and says why', async () => {
    const [one] = await house.rows<{ id: number }>(
      `select id from muster.action where state = 'done' order by id limit 1`,
    )
    const id = String(one?.id)
    for (const line of [[], [id, '--all'], ['--target', 'bank-ldap'], ['--target', 'bank-ldap', id, '--all'], ['soon']])
      expect(await muster(files, 'action', 'retry', ...line, '--reason', 'x'), line.join(' ')).toMatchObject({
        exit: 2,
      })
    expect(await muster(files, 'action', 'retry', id)).toMatchObject({ exit: 2, err: expect.stringContaining('why?') })
    expect(await muster(files, 'action', 'retry', '4711000', '--reason', 'x')).toMatchObject({ exit: 1 })
    expect(await muster(files, 'action', 'retry', id, '--reason', 'x')).toMatchObject({
      exit: 1,
      err: expect.stringContaining('not parked but done'),
    })
    const all = ['action', 'retry', '--target', 'bank-ldap', '--all', '--reason', 'mended'] as const
    expect((await muster(files, ...all)).out).toContain('nothing is parked on bank-ldap')
    await house.rows(`update muster.action set state = 'parked' where id = $1`, one?.id)
    expect((await muster(files, ...all, '--json')).json()).toMatchObject({ kind: 'retried', actions: 1 })
    expect(await entries('action-retried')).toMatchObject([{ action: one?.id, target: 'bank-ldap' }])
    await house.quiesce()
  })

  test('an SoD hold is rejected with a reason, which the audit binds and does not tell; release is refused with exit 3', async () => {
    const [hold] = (await muster(files, 'hold', 'list', '--json')).json() as { id: number; person: string }[]
    expect(hold).toMatchObject({ kind: 'sod', person: 'P-1', entitlement: 'CBS_LoanApprove' })
    const id = String(hold?.id)
    expect(await muster(files, 'hold', 'reject', id)).toMatchObject({ exit: 2 })
    expect(await muster(files, 'hold', 'release', id, '--reason', 'please')).toMatchObject({
      exit: 3,
      err: expect.stringContaining('exception'),
    })
    expect(await muster(files, 'hold', 'reject', id, '--reason', 'Amit asked twice')).toMatchObject({ exit: 0 })
    expect(await entries('hold-rejected')).toMatchObject([
      { hold: Number(id), detail: { hash: expect.stringMatching(/^[0-9a-f]{64}$/) } },
    ])
    expect(JSON.stringify(await entries('hold-rejected'))).not.toContain('Amit')
    expect(await muster(files, 'hold', 'reject', id, '--reason', 'again')).toMatchObject({
      exit: 1,
      err: expect.stringMatching(/as rejected[\s\S]*muster show hold/),
    })
    // The words stand beside the log: whoever may read auditor or the tables sees them.
    expect((await muster(files, 'show', 'hold', id)).out).toMatch(/because +Amit asked twice/)
    const auditor = openDatabase({ url: house.database.auditorUrl, max: 1, applicationName: 'test-auditor' })
    try {
      expect(
        await auditor.query({
          text: `select r.reason, h.reasons, t.reason as told, t.person_key from auditor.reasons r
            join auditor.person_trail t on (t.body #>> '{detail,ref}')::uuid = r.ref
            join auditor.holds h on h.hold = (t.body ->> 'hold')::bigint where t.kind = 'hold-rejected'`,
          values: [],
        }),
      ).toEqual([
        { reason: 'Amit asked twice', reasons: ['Amit asked twice'], told: 'Amit asked twice', person_key: 'P-1' },
      ])
    } finally {
      await auditor.close()
    }
    expect((await muster(files, 'hold', 'list', '--json')).json()).toEqual([])
    const denied = (await muster(files, 'why', 'P-1', 'CBS_LoanApprove')).out
    expect(denied).toMatch(/hold \d+ was rejected by/)
    expect(denied).not.toContain('void')
    // Nothing changed, so it stays denied: evaluated again, no hold is opened anew, and nothing is granted.
    await house.rows('update muster.identity set work_due_at = muster.now()')
    await house.quiesce()
    expect((await muster(files, 'hold', 'list', '--json')).json()).toEqual([])
    expect(await house.groupsOf('P-1')).not.toContain('CBS_LoanApprove')
  })

  test('policy check explains a mistake and apply refuses it; a change becomes a version, once', async () => {
    expect(await muster(files, 'policy', 'check', './elsewhere')).toMatchObject({
      exit: 2,
      err: expect.stringMatching(/nothing is expected here: .\/elsewhere[\s\S]*--config/),
    })
    expect(await muster(files, 'policy', 'check')).toMatchObject({
      exit: 0,
      out: expect.stringContaining('no mistakes'),
    })
    expect((await muster(files, 'policy', 'apply', '--json')).json()).toMatchObject({ kind: 'unchanged' })
    const extra = join(files.directory, 'policies', 'extra.yaml')
    writeFileSync(
      extra,
      'birthright:\n  extra:\n    when: { jobCod: RM }\n    grants: { entitlements: [CBS_ViewOnly] }\n',
    )
    const wrong = await muster(files, 'policy', 'check')
    expect(wrong).toMatchObject({ exit: 1, out: expect.stringMatching(/policies\/extra.yaml:3:\d+ [\s\S]*jobCode/) })
    expect(await muster(files, 'policy', 'apply')).toMatchObject({
      exit: 1,
      err: expect.stringContaining('extra.yaml:3'),
    })
    writeFileSync(
      extra,
      'birthright:\n  extra:\n    when: { jobCode: RM }\n    grants: { entitlements: [CBS_ViewOnly] }\n',
    )
    const applied = await muster(files, 'policy', 'apply', '--json')
    expect(applied.json()).toMatchObject({ kind: 'applied', version: 2, identities: 1 })
    expect((await entries('policy-applied')).at(-1)).toMatchObject({
      policy: { version: 2 },
      before: { version: 1 },
      actor: { type: 'os-user' },
    })
    await house.quiesce()
    expect((await muster(files, 'why', 'P-1', 'CBS_ViewOnly')).out).toContain('rule extra gives it')
  })

  test('what is parked is told by why and by the findings, by the names of things', async () => {
    const group = house.entitlements.find(({ key }) => key === 'App_Crm')?.lookup ?? ''
    await asDirectoryRoot(house.ldap, (client) => client.del(group))
    const effectiveAt = (await house.now()) - 1000
    await house.tell({ person: 'P-9', effectiveAt, attributes: { jobCode: 'RM', department: 'LENDING' } })
    await house.quiesce()
    expect((await muster(files, 'why', 'P-9', 'App_Crm')).out).toMatch(/its grant is parked[^\n]*\(action \d+\)/)
    expect((await muster(files, 'why', 'P-9', 'CBS_ViewOnly')).out).not.toContain('its grant')
    expect((await muster(files, 'finding', 'list', '--json')).json()).toContainEqual(
      expect.objectContaining({ person: 'P-9', entitlement: 'App_Crm' }),
    )
    const found = await muster(files, 'finding', 'list', '--kind', 'entitlement-missing')
    expect(found.out).toMatch(/entitlement=App_Crm[\s\S]*what to do[\s\S]*create it there/)
    expect((await muster(files, 'finding', 'list', '--kind', 'redis-evicts')).out).toContain('no open finding of kind')
    const here = (await muster(files, 'finding', 'list', '--target', 'bank-ldap', '--json')).json() as unknown[]
    expect(here).toContainEqual(expect.objectContaining({ kind: 'entitlement-missing', target: 'bank-ldap' }))
    expect((await muster(files, 'finding', 'list', '--target', 'corp-ad')).exit).toBe(2)
    // One of an entitlement is of its target; of many, how many of which kind and where come first.
    await house.rows(`insert into muster.finding (kind, key, urgent, detail, opened_at, seen_at)
      select 'grant-unexplained', 'x:' || n, false, jsonb_build_object('entitlement', (select min(id) from muster.entitlement)), muster.now(), muster.now()
      from generate_series(1, 25) as n`)
    expect((await muster(files, 'finding', 'list', '--target', 'bank-ldap')).out).toMatch(
      /25 +grant-unexplained +bank-ldap/,
    )
    await house.rows(`delete from muster.finding where key like 'x:%'`)
    const [parked] = await house.rows<{ id: number }>(`select id from muster.action where state = 'parked'`)
    const shown = await muster(files, 'show', 'action', String(parked?.id))
    expect(shown.out).toMatch(/ended +\d[\s\S]*to be looked at\s+entitlement-missing \(\S+, code 32\): create it there/)
    const listed = await muster(files, 'action', 'list', 'bank-ldap')
    expect(listed).toMatchObject({ exit: 0, out: expect.stringContaining('in mode enforce') })
  })

  test('in mode plan the actions that are made can be read, by what and by whom', async () => {
    expect((await muster(files, 'action', 'list', 'bank-ldap')).out).not.toContain('P-7')
    await muster(files, 'target', 'mode', 'bank-ldap', 'plan')
    const effectiveAt = (await house.now()) - 1000
    await house.tell({ person: 'P-7', effectiveAt, attributes: { jobCode: 'RM', department: 'LENDING' } })
    await house.evaluateAll()
    const text = await muster(files, 'action', 'list', 'bank-ldap')
    expect(text.out).toMatch(
      /1 +grant +CBS_ViewOnly[\s\S]*P-7 +grant +CBS_ViewOnly +assigned by[\s\S]*in mode plan: none is sent/,
    )
    expect((await muster(files, 'action', 'list', 'bank-ldap', '--json')).json()).toMatchObject({
      target: 'bank-ldap',
      mode: 'plan',
      linked: 2,
      unlinked: 1,
      actions: expect.arrayContaining([expect.objectContaining({ person: 'P-7', kind: 'ensureAccount' })]),
    })
  })
  test('a rejection whose conflict is over is said to be void', async () => {
    await muster(files, 'target', 'mode', 'bank-ldap', 'enforce')
    await house.tell({ person: 'P-1', effectiveAt: (await house.now()) - 500, status: 'terminated', primary: false })
    await house.quiesce()
    expect((await muster(files, 'why', 'P-1', 'CBS_LoanApprove')).out).toMatch(
      /CBS_LoanApprove: wanted[\s\S]*hold \d+ was rejected by [^\n]*: void/,
    )
  })
})
