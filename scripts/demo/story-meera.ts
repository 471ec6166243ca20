import { eventually, isSo, NotSo, notYet } from './eventually.ts'
import { storyEvent } from './hr-event.ts'
import type { Scene } from './scene.ts'
import { holdsExactly, openHold } from './story-amit.ts'

const meera = 'P-2001'
const found = ['CBS_LoanApprove', 'Legacy_CreditReports']
const given = ['App_Crm', 'Branch_Mumbai', 'CBS_ViewOnly', 'Dept_Lending', 'Staff_Intranet', 'Staff_Timesheets']

export const meeraJoins = async (scene: Scene): Promise<void> => {
  const { world, tell, verify } = scene
  tell.step('Meera S stands in the directory already')
  await verify(`somebody put her into ${found.join(' and ')} by hand, before Muster came`, () =>
    holdsExactly(scene, meera, found, 1),
  )
  const now = Date.now()
  await world.hr.publish([storyEvent('06-meera-joins', now, now)])
  tell.say('HR says: she is a Relationship Manager now. That would give her CBS_LoanEntry.')
  await verify('her account was linked by her employee number, not made a second time', () =>
    eventually(20, async () => {
      const account = await world.audit.account(meera)
      if (account !== undefined && account.origin !== 'linked') throw new NotSo(`her account was ${account.origin}`)
      return account === undefined ? notYet('no account in the audit log') : isSo(account)
    }),
  )
  await verify(
    (hold) =>
      `what she holds counts: ${hold.entitlement} is held against ${hold.conflicts_with.join(', ')}, which Muster never gave`,
    () => openHold(scene, meera, 'CBS_LoanEntry', 'CBS_LoanApprove'),
    (hold) => hold,
  )
  await verify('she got what does not conflict, and kept what she had', () =>
    holdsExactly(scene, meera, [...found, ...given]),
  )
  await verify('audit: no grant of CBS_LoanApprove or CBS_LoanEntry was ever attempted for her', async () => {
    const attempted = (await world.audit.trail(meera)).filter(
      ({ kind, entitlement }) => kind === 'attempt' && ['CBS_LoanApprove', 'CBS_LoanEntry'].includes(entitlement ?? ''),
    )
    if (attempted.length > 0) throw new NotSo(`${attempted.length} attempts`)
  })
}
