import { NotSo } from './eventually.ts'
import type { Scene } from './scene.ts'

export const theHouse = async ({ world, tell, verify, startedAt }: Scene): Promise<void> => {
  tell.step('The house is up')
  tell.verified(
    `Kafka, PostgreSQL, Redis, OpenLDAP and the engine answer (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`,
    {
      kafka: world.stack.kafkaBrokers,
      engine: world.engine.mark.pid,
    },
  )
  await verify(
    ({ policy_version, hash }) => `policy version ${policy_version} is active, hash ${hash.slice(0, 12)}…`,
    async () => {
      const policy = await world.audit.policy()
      if (policy === undefined) throw new NotSo('no policy version is active')
      return policy
    },
    (policy) => policy,
  )
  tell.say('The engine works under a database role that can append to the audit log and do nothing else to it.')
}
