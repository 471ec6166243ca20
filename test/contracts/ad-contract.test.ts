import { largestAdGroup, makeAd, openAdWorld } from './ad-world.ts'
import { connectorContract } from './connector-contract.ts'
import { usual } from './world.ts'

connectorContract('Active Directory', makeAd, openAdWorld, {
  ...usual,
  largestGroup: largestAdGroup,
  // MS-ADTS §3.1.1.5.1.2; Samba takes it.
  names: /^[^\n]*$/,
})
