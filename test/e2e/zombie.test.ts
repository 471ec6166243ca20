/** An engine that stands still longer than its lease while its write is on the way to the directory. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isMessage } from '../support/ldap-traffic.ts'
import { type Installation, openInstallation } from '../support/muster-process.ts'
import { type TcpProxy, tcpProxy, type Verdict } from '../support/tcp-proxy.ts'
import { brokenLaws } from './laws.ts'
import { clerk, department, leaves, manager, moves, works } from './people.ts'

let bank: Installation
let proxy: TcpProxy
beforeAll(async () => {
  bank = await openInstallation({ file: { engine: { lease: '2s' } } })
  const { hostname, port } = new URL(bank.ldap.plainUrl)
  proxy = await tcpProxy({ host: hostname, port: Number(port) })
})
afterAll(async () => {
  await bank.close()
  await proxy.close()
})

test("the zombie's write lands after its person has left: found, taken back, audited", async () => {
  // The first engine reaches the directory through the proxy, the second one by itself.
  const slow = bank.configure({
    env: { MUSTER_LDAP_URL: `ldap://127.0.0.1:${proxy.port}` },
    ldapSettings: { security: 'plain' },
  })
  const first = await bank.start({ files: slow })
  await bank.tell(works('P-1', clerk))
  await bank.quiet()
  expect(await bank.groupsOf('P-1')).toEqual(department)

  const written = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  proxy.watch(async (bytes, direction): Promise<Verdict> => {
    if (direction !== 'to-server' || !isMessage(bytes, 'modify')) return 'pass'
    written.resolve()
    await released.promise
    return 'pass'
  })
  await bank.tell(moves('P-1', manager))
  await written.promise
  first.kill('SIGSTOP')
  const out = await bank.rows(`select 1 from muster.dispatch where state = 'claimed'`)

  await bank.start()
  await bank.until('the second engine to grant', async () => (await bank.groupsOf('P-1')).includes('CBS_LoanEntry'))
  await bank.tell(leaves('P-1', { urgency: 'immediate' }))
  await bank.quiet()
  expect(await bank.groupsOf('P-1')).toEqual([])

  proxy.watch(null)
  released.resolve()
  await bank.until('the late write to land', async () => (await bank.groupsOf('P-1')).length > 0)
  first.kill('SIGCONT')
  await bank.until('the zombie to be told so', async () => {
    const found = await bank.audit<{ held: boolean }>(
      `select (body ->> 'held')::boolean as held from auditor.entries where kind = 'late-outcome-rejected'`,
    )
    return found.length >= out.length && found.some(({ held }) => held)
  })
  await bank.until('what it wrote to be taken back', async () => (await bank.groupsOf('P-1')).length === 0)
  await bank.quiet()
  expect((await bank.account('P-1'))?.locked).toBe(true)
  expect(await brokenLaws(bank)).toEqual([])
  slow.remove()
})

test('an engine that stands still inside a transaction keeps a leaver waiting for less than the SLO, and blames nobody', async () => {
  await bank.tell(works('P-2'))
  await bank.quiet()
  const frozen = await bank.start({ args: ['--roles', 'evaluate', '--lanes', 'leaver'], pauseAt: 'evaluate:locked' })
  // The others look the other way, so that it is the frozen one who takes the leaver.
  for (const one of bank.running()) if (one !== frozen) one.kill('SIGSTOP')
  const evaluated = frozen.paused('evaluate:locked')
  await bank.tell(leaves('P-2'))
  await bank.rows(`update muster.identity set work_due_at = muster.now(), lane = 'leaver' where person_key = 'P-2'`)
  await evaluated
  for (const one of bank.running()) if (one !== frozen) one.kill('SIGCONT')
  await bank.quiet()
  expect((await bank.account('P-2'))?.locked).toBe(true)
  const latencies = await bank.audit<{ slo_kept: boolean }>(
    `select slo_kept from auditor.leaver_latencies where person_key = 'P-2'`,
  )
  expect(latencies).toEqual([{ slo_kept: true }])
  frozen.resume()
  await frozen.line((text) => text.includes('database unavailable: waiting'))
  expect(await bank.rows(`select person_key from muster.identity where parked_at is not null`)).toEqual([])
  expect(await brokenLaws(bank)).toEqual([])
})
