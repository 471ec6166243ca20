import { musterCommand } from './engine-process.ts'
import { eventually, isSo, NotSo, notYet } from './eventually.ts'
import type { Scene } from './scene.ts'

const meera = 'P-2001'
const slipped = 'CBS_LoanDisburse'

type Reconciled = {
  readonly listed: number
  readonly members: number
  readonly appeared: number
  readonly missing: number
}

export const somebodyChangesIt = async ({ world, tell, verify }: Scene): Promise<void> => {
  const reconcile = async (): Promise<Reconciled> =>
    JSON.parse((await musterCommand(['reconcile', 'bank-ldap', '--json'], world.env)).join('\n')) as Reconciled
  const found = async (appeared: number) => {
    const told = await reconcile()
    if (told.appeared !== appeared || told.missing !== 0)
      throw new NotSo(`${told.appeared} appeared and ${told.missing} are missing`)
    return told
  }
  tell.step('Somebody changes the directory behind Muster')
  await verify(
    ({ listed, members }) =>
      `muster reconcile: ${listed} groups listed, ${members} members, all as Muster verified them`,
    () => found(0),
  )
  await world.directory.addMember(meera, slipped)
  tell.say(`An administrator puts Meera into ${slipped} by hand. Its drift policy says: revert.`)
  await verify('muster reconcile finds that one change, and no other', () => found(1))
  await verify(
    ({ outcome }) => `she is out again: decided, attempted and read back (action ${outcome.action_id})`,
    () =>
      eventually(20, async () => {
        if ((await world.directory.groupsOf(meera)).includes(slipped)) return notYet('she is still in it')
        const chain = await world.audit.chain(meera, 'revoke', slipped)
        return chain.so ? isSo(chain.value) : chain
      }),
  )
}
