/** Permission sets as AWS shows them: moto leaves odd values where nothing was said. */
import { limited, type Rules } from './rules.ts'
import { type Json, record } from './wire.ts'

export const permissionSets: Rules = {
  CreatePermissionSet: async (body, { moto }) => shown(await moto.ask('sso-admin', 'CreatePermissionSet', body)),
  DescribePermissionSet: async (body, { moto }) => shown(await moto.ask('sso-admin', 'DescribePermissionSet', body)),
  ListPermissionSets: (body, behind) => behind.moto.ask('sso-admin', 'ListPermissionSets', limited(body, behind)),
}

const shown = ({ PermissionSet }: Json): Json => {
  const said = Object.entries(record(PermissionSet)).filter(
    ([name, value]) =>
      (name === 'CreatedDate' && typeof value === 'number') || (typeof value === 'string' && value !== ''),
  )
  return { PermissionSet: { SessionDuration: 'PT1H', ...Object.fromEntries(said) } }
}
