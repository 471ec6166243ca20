/** The target takes the old password no longer: the whole target waits, nobody is to blame, and no restart is needed. */

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type App, createApp } from '../../../src/app.ts'
import { loadConfig } from '../../../src/config.ts'
import type { Connector } from '../../../src/connectors/connector.ts'
import { bankFiles } from '../../support/bank-files.ts'
import type { ConfigDirectory } from '../../support/config-directory.ts'
import { type House, openHouse, target } from '../../support/house.ts'
import { addresses } from '../../support/stack.ts'
import { type TcpProxy, tcpProxy } from '../../support/tcp-proxy.ts'
import { findingsOf } from './behind-our-back.ts'
import { brokenLaws } from './laws.ts'
import { leaves, lending, works } from './people.ts'

let house: House
let files: ConfigDirectory
let app: App
let proxy: TcpProxy
afterEach(async () => {
  await app.stop()
  await proxy.close()
  files.remove()
  await house.close()
})

/** A house whose first target is reached as in earnest: from muster.yaml, with a password in a file. */
const open = async (): Promise<{ readonly rotate: (password: string | null) => void }> => {
  const { ldap } = addresses()
  house = await openHouse({ second: (real) => real })
  proxy = await tcpProxy({ host: '127.0.0.1', port: Number(new URL(ldap.plainUrl).port) })
  files = bankFiles(house, {
    ldap: {
      url: `ldap://127.0.0.1:${proxy.port}`,
      security: 'plain',
      caFile: undefined,
      bindPassword: 'file:ldap-password',
    },
  })
  const file = join(files.directory, 'ldap-password')
  const rotate = (password: string | null) => {
    if (password === null) rmSync(file)
    else writeFileSync(file, `${password}\n`)
    // Directories drop connections now and then; those that stand stay whoever they are.
    proxy.resetAll()
  }
  rotate(ldap.servicePassword)
  const loaded = loadConfig(files.directory, files.env)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  app = await createApp(loaded.value, { roles: ['provision'], lanes: ['bulk'] })
  const connectors = house.engine.connectors as Map<typeof target, Connector>
  await connectors.get(target)?.close()
  connectors.set(target, app.engine.connectors.get(target) as Connector)
  return { rotate }
}
const round = async () => {
  await house.evaluateAll()
  await house.shift(600)
  for (const { id } of await house.dispatchAll()) await house.provision(id)
}
const states = () =>
  house.rows<{ target: string; state: string; attempts: number }>(
    `select distinct target, state::text, attempts from muster.action where state <> 'done' and target = $1`,
    target,
  )

test('refused for two hours: a finding for the target, nothing parked, a leaver paged; a new file and all ends right', async () => {
  const { rotate } = await open()
  await house.tell(works('P-1', (await house.now()) - 1000))
  await house.quiesce()

  rotate('no longer the password')
  await house.tell(works('P-2', (await house.now()) - 1000))
  await house.tell(leaves('P-1', await house.now()))
  for (let tries = 0; tries < 4; tries++) {
    await house.shift(1_800_000)
    await round()
  }
  await house.sweep()
  expect(await states()).toEqual([{ target, state: 'ready', attempts: 0 }])
  // Overdue is who waits too long, whatever for.
  expect(new Set(await findingsOf(house))).toEqual(
    new Set(['action-overdue!', 'action-overdue', 'credential-refused!']),
  )
  const [told] = await house.rows(
    `select key, detail, identity_id from muster.finding where kind = 'credential-refused'`,
  )
  expect(told).toEqual({ key: target, detail: { target, word: 'invalid-credentials' }, identity_id: null })
  // The other target takes its people all the while.
  expect((await house.second.account('P-1'))?.locked).toBe(true)
  expect(await house.second.groupsOf('P-2')).toEqual(['Second_Staff'])

  // In the moment of the change there is no file: not yet, and still nobody's fault.
  rotate(null)
  await house.shift(60_000)
  await round()
  expect(await house.account('P-2')).toBeNull()
  expect(await states()).toEqual([{ target, state: 'ready', attempts: 0 }])
  expect(
    await house.rows(
      `select detail->>'word' as word from muster.finding where kind = 'credential-refused' and closed_at is null`,
    ),
  ).toEqual([{ word: 'secret-unreadable' }])
  rotate(addresses().ldap.servicePassword)
  await house.quiesce()
  expect(await house.groupsOf('P-2')).toEqual(lending)
  expect((await house.everything()).get('P-1')).toEqual({ locked: true, groups: [] })
  expect(await brokenLaws(house)).toEqual([])
  await house.shift(121_000)
  await house.sweep()
  expect(await findingsOf(house)).toEqual([])
})

test('refused from the first call on: the same', async () => {
  const { rotate } = await open()
  rotate('not the password')
  await house.tell(works('P-1', (await house.now()) - 1000))
  await round()
  expect(await states()).toEqual([{ target, state: 'ready', attempts: 0 }])
  expect(await findingsOf(house)).toEqual(['credential-refused'])
  rotate(addresses().ldap.servicePassword)
  await house.quiesce()
  expect(await house.groupsOf('P-1')).toEqual(lending)
})
