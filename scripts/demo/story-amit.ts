import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { musterCommand } from './engine-process.ts'
import { eventually, isSo, NotSo, notYet } from './eventually.ts'
import { storyEvent } from './hr-event.ts'
import type { Scene } from './scene.ts'

export const amit = 'P-1001'
const everyday = ['App_Crm', 'Branch_Mumbai', 'CBS_ViewOnly', 'Dept_Lending', 'Staff_Intranet', 'Staff_Timesheets']
const aheadMs = 4000

const clock = (at: Date | number): string => new Date(at).toISOString().slice(11, 23)

/** In the directory, by ldapsearch: exactly these groups. */
export const holdsExactly = ({ world }: Scene, person: string, groups: readonly string[], seconds = 20) =>
  eventually(seconds, async () => {
    const found = await world.directory.groupsOf(person)
    return isDeepStrictEqual([...found], [...groups].sort())
      ? isSo(found)
      : notYet(`groups ${found.join(', ') || '(none)'}, expected ${[...groups].sort().join(', ') || '(none)'}`)
  })

/** In the audit log: decided, attempted, outcome with evidence. */
export const chainOf = ({ world }: Scene, person: string, operation: string, entitlement: string | null = null) =>
  eventually(20, () => world.audit.chain(person, operation, entitlement))

export const amitIsAnnounced = async (scene: Scene): Promise<{ effectiveAt: number }> => {
  const { world, tell, verify } = scene
  tell.step('Amit R will join as Relationship Manager')
  const now = Date.now()
  const effectiveAt = now + aheadMs
  await world.hr.publish([storyEvent('01-amit-joins', now, effectiveAt)])
  tell.say(`HR says it ahead of time: effective ${clock(effectiveAt)}, ${aheadMs / 1000} s from now.`)
  await verify('Muster knows him, as somebody who is to come (prehire)', () =>
    eventually(20, async () => {
      const person = await world.audit.person(amit)
      return person?.lifecycle === 'prehire' ? isSo(person) : notYet(`lifecycle ${person?.lifecycle ?? 'unknown'}`)
    }),
  )
  await verify('nothing of him is in the directory yet', async () => {
    const account = await world.directory.accountOf(amit)
    if (account !== null && Date.now() < effectiveAt)
      throw new NotSo(`${account.dn} is there before the effective moment`)
  })
  return { effectiveAt }
}

export const amitJoins = async (scene: Scene, { effectiveAt }: { effectiveAt: number }): Promise<void> => {
  const { tell, verify } = scene
  tell.step('The moment comes: Amit joins')
  await verify(
    'he is in CBS_ViewOnly and CBS_LoanEntry, and in the five groups of his department, place and staff',
    () => holdsExactly(scene, amit, [...everyday, 'CBS_LoanEntry']),
  )
  await verify(
    ({ outcome }) =>
      `his account was created ${outcome.recorded_at.getTime() - effectiveAt} ms after the effective moment, not before it`,
    async () => {
      const chain = await chainOf(scene, amit, 'ensureAccount')
      if (chain.attempted.recorded_at.getTime() < effectiveAt)
        throw new NotSo(
          `his account was attempted at ${clock(chain.attempted.recorded_at)}, effective ${clock(effectiveAt)}`,
        )
      return chain
    },
    ({ outcome }) => ({ effectiveAt, createdAt: outcome.recorded_at }),
  )
  for (const entitlement of ['CBS_ViewOnly', 'CBS_LoanEntry'])
    await verify(
      ({ decided, outcome }) =>
        `audit: ${entitlement} decided, attempted, read back (${outcome.evidence?.read}); cause ${decided.cause}`,
      () => chainOf(scene, amit, 'grant', entitlement),
    )
}

export const amitMoves = async (scene: Scene): Promise<void> => {
  const { world, tell, verify } = scene
  tell.step('Amit moves: Credit Approver')
  const now = Date.now()
  await world.hr.publish([storyEvent('02-amit-moves', now, now)])
  tell.say('CBS_LoanApprove conflicts with CBS_LoanEntry: the one must be gone, verified, before the other is given.')
  await verify('he is in CBS_LoanApprove, and no longer in CBS_LoanEntry', () =>
    holdsExactly(scene, amit, [...everyday, 'CBS_LoanApprove']),
  )
  await verify(
    ({ revoked, granted }) =>
      `audit: CBS_LoanEntry verified gone at ${clock(revoked.outcome.recorded_at)}, only then CBS_LoanApprove attempted at ${clock(granted.attempted.recorded_at)}`,
    async () => {
      const revoked = await chainOf(scene, amit, 'revoke', 'CBS_LoanEntry')
      const granted = await chainOf(scene, amit, 'grant', 'CBS_LoanApprove')
      if (
        granted.attempted.recorded_at < revoked.outcome.recorded_at ||
        BigInt(granted.attempted.id) < BigInt(revoked.outcome.id)
      )
        throw new NotSo(
          `CBS_LoanApprove was attempted at ${clock(granted.attempted.recorded_at)}, before CBS_LoanEntry was verified gone at ${clock(revoked.outcome.recorded_at)}`,
        )
      return { revoked, granted }
    },
    ({ revoked, granted }) => ({ goneAt: revoked.outcome.recorded_at, attemptedAt: granted.attempted.recorded_at }),
  )
}

export const secondEmployment = async (scene: Scene): Promise<void> => {
  const { world, tell, verify } = scene
  tell.step('A second employment would give CBS_LoanEntry again')
  const now = Date.now()
  await world.hr.publish([storyEvent('03-amit-second-employment', now, now)])
  await verify(
    (hold) =>
      `held: ${hold.entitlement}, by rule ${hold.policies.join(', ')}, against ${hold.conflicts_with.join(', ')}`,
    () => openHold(scene, amit, 'CBS_LoanEntry', 'CBS_LoanApprove'),
    (hold) => hold,
  )
  await verify('the directory did not change: CBS_LoanApprove stays, CBS_LoanEntry is not given', () =>
    holdsExactly(scene, amit, [...everyday, 'CBS_LoanApprove']),
  )
  const words = ['why', amit, 'CBS_LoanEntry']
  const lines = await verify('and Muster says why:', () => musterCommand(words, world.env))
  tell.show('why', [`$ npx muster ${words.join(' ')}`, ...lines], lines)
}

/** Exactly one open hold of that person, of `entitlement` against `conflict`. */
export const openHold = ({ world }: Scene, person: string, entitlement: string, conflict: string) =>
  eventually(20, async () => {
    const holds = await world.audit.openHolds(person)
    const [hold] = holds
    return holds.length === 1 && hold?.entitlement === entitlement && isDeepStrictEqual(hold.conflicts_with, [conflict])
      ? isSo(hold)
      : notYet(`${entitlement} should be held against ${conflict}; open holds: ${JSON.stringify(holds)}`)
  })

export const amitLeaves = async (scene: Scene): Promise<void> => {
  const { world, tell, verify } = scene
  tell.step('Amit leaves, urgently')
  const account = await world.directory.accountOf(amit)
  if (account === null) throw new NotSo('Amit has no account')
  const password = randomBytes(12).toString('base64url')
  await world.directory.setPassword(account.dn, password)
  await verify('he can sign in (a bind with his password; Muster never knew it)', async () => {
    const answer = await world.directory.signIn(account.dn, password)
    if (answer !== 'let in') throw new NotSo(`refused with result code ${answer}`)
  })
  const now = Date.now()
  await world.hr.publish([storyEvent('04-amit-leaves-second', now, now), storyEvent('05-amit-leaves', now, now)])
  const { ms, revokes } = await verify(
    (leaver) =>
      `account disabled, ${leaver.revokes} groups revoked, all read back: ${leaver.ms} ms after HR's event reached Kafka`,
    () => eventually(20, () => world.audit.leaver(amit), 10),
    (leaver) => leaver,
  )
  await verify('ldapsearch finds him in no group, and his account locked', async () => {
    await holdsExactly(scene, amit, [], 5)
    if (!(await world.directory.accountOf(amit))?.locked) throw new NotSo('his account is not locked')
  })
  await verify(
    (code) => `the sign-in that worked before is refused (LDAP result code ${code})`,
    async () => {
      const answer = await world.directory.signIn(account.dn, password)
      if (answer === 'let in') throw new NotSo('he was let in')
      return answer
    },
    (code) => ({ code, ms, revokes }),
  )
  await verify('audit: disabled and revoked, each decided, attempted and read back', async () => {
    await chainOf(scene, amit, 'disable')
    for (const entitlement of [...everyday, 'CBS_LoanApprove']) await chainOf(scene, amit, 'revoke', entitlement)
  })
  await verify('the hold is closed: nothing is wanted any more', () =>
    eventually(5, async () => {
      const holds = await world.audit.openHolds(amit)
      return holds.length === 0 ? isSo(true) : notYet(JSON.stringify(holds))
    }),
  )
}
