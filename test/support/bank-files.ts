import { type ConfigDirectory, type ConfigDirectoryOptions, writeConfigDirectory } from './config-directory.ts'
import { bankPolicies, type House } from './house.ts'

/** What a process of its own needs to work in this house: the bank's policies, the house's database and subtree. */
export const bankFiles = (
  house: Pick<House, 'database' | 'tree'>,
  more: Omit<ConfigDirectoryOptions, 'database' | 'tree' | 'policies'> = {},
): ConfigDirectory =>
  writeConfigDirectory({
    database: house.database,
    tree: house.tree,
    policies: bankPolicies(house.tree.groups),
    ...more,
  })
