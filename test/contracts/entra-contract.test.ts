import { connectorContract } from './connector-contract.ts'
import { makeEntra, openEntraWorld } from './entra-world.ts'

connectorContract('Entra ID', makeEntra, () => openEntraWorld())
