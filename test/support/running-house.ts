/** The house of a test with the loops running in this process: both lanes as two apps, as in earnest. Events come by `house.tell`. */

import { type App, type AppOptions, createApp } from '../../src/app.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { bankFiles } from './bank-files.ts'
import type { ConfigDirectory, ConfigDirectoryOptions } from './config-directory.ts'
import { type House, openHouse } from './house.ts'

export type RunningHouse = {
  readonly house: House
  readonly files: ConfigDirectory
  readonly config: Config
  readonly bulk: App
  readonly leaver: Pick<App, 'start' | 'stop'>
  readonly close: () => Promise<void>
}

export type RunningHouseOptions = Pick<AppOptions, 'pause' | 'verbs'> &
  Partial<Omit<ConfigDirectoryOptions, 'database' | 'tree'>> & {
    readonly start?: boolean
    /** The leaver lane decides and provisions in two apps: then every leaver takes the queue, or the way around it. */
    readonly spreadLeavers?: boolean
  }

export const openRunningHouse = async ({
  pause,
  verbs,
  start = true,
  spreadLeavers = false,
  ...more
}: RunningHouseOptions = {}): Promise<RunningHouse> => {
  const house = await openHouse()
  const files = bankFiles(house, {
    ...more,
  })
  const loaded = loadConfig(files.directory, files.env)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const held = { ...(pause ? { pause } : {}), ...(verbs ? { verbs } : {}) }
  const roles = ['evaluate', 'dispatch', 'provision'] as const
  const bulk = await createApp(loaded.value, {
    roles: [...roles, 'schedule'],
    lanes: ['bulk'],
    name: 'muster-bulk',
    ...held,
  })
  const leavers = await Promise.all(
    (spreadLeavers ? [['evaluate', 'dispatch'] as const, ['provision'] as const] : [roles]).map((some) =>
      createApp(loaded.value, { roles: some, lanes: ['leaver'], name: 'muster-leaver', ...held }),
    ),
  )
  const leaver = {
    start: async () => void (await Promise.all(leavers.map((app) => app.start()))),
    stop: async () => void (await Promise.all(leavers.map((app) => app.stop()))),
  }
  if (start) {
    await bulk.start()
    await leaver.start()
  }
  return {
    house,
    files,
    config: loaded.value,
    bulk,
    leaver,
    close: async () => {
      await Promise.all([bulk.stop(), leaver.stop()])
      files.remove()
      await house.close()
    },
  }
}
