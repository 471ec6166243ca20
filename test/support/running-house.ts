/** The house of a test with the loops running in this process: both lanes as two apps, as in earnest. Events come by `house.tell`. */
import { type App, type AppOptions, createApp } from '../../src/app.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { type ConfigDirectory, type ConfigDirectoryOptions, writeConfigDirectory } from './config-directory.ts'
import { bankPolicies, type House, openHouse } from './house.ts'

export type RunningHouse = {
  readonly house: House
  readonly files: ConfigDirectory
  readonly config: Config
  readonly bulk: App
  readonly leaver: App
  readonly close: () => Promise<void>
}

export type RunningHouseOptions = Pick<AppOptions, 'pause' | 'verbs'> &
  Partial<Omit<ConfigDirectoryOptions, 'database' | 'tree'>> & { readonly start?: boolean }

export const openRunningHouse = async ({
  pause,
  verbs,
  start = true,
  ...more
}: RunningHouseOptions = {}): Promise<RunningHouse> => {
  const house = await openHouse()
  const files = writeConfigDirectory({
    database: house.database,
    tree: house.tree,
    policies: bankPolicies(house.tree.groups),
    ...more,
  })
  const loaded = loadConfig(files.directory, files.env)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const held = { ...(pause ? { pause } : {}), ...(verbs ? { verbs } : {}) }
  const roles = ['evaluate', 'dispatch', 'provision'] as const
  const bulk = createApp(loaded.value, { roles: [...roles, 'schedule'], lanes: ['bulk'], name: 'muster-bulk', ...held })
  const leaver = createApp(loaded.value, { roles, lanes: ['leaver'], name: 'muster-leaver', ...held })
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
