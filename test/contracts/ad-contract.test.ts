import { makeAd, openAdWorld } from './ad-world.ts'
import { connectorContract } from './connector-contract.ts'

connectorContract('Active Directory', makeAd, openAdWorld)
