/** What may happen to three people of the bank in any order, and how each of it is done to a real house. */
import fc from 'fast-check'
import { evaluate } from '../../../src/engine/evaluate.ts'
import { carryOut } from '../../../src/engine/provision.ts'
import { seeOff } from '../../../src/engine/see-off.ts'
import { answerLost, type Faults, type Gates, requestLost } from '../../support/faults.ts'
import type { House } from '../../support/house.ts'
import type { WorkerInput } from '../../support/tell.ts'

const people = ['P-1', 'P-2', 'P-3'] as const
const jobs = ['RM', 'CA', 'LD', 'TELLER', 'X'] as const
const labels = [
  'evaluate:locked',
  'evaluate:saved',
  'dispatch:guarded',
  'claim:locked',
  'claim:read',
  'provision:claimed',
  'provision:called',
  'settle:locked',
] as const
const tenMinutes = 600_000

export type Happening =
  | {
      readonly kind: 'event'
      readonly person: (typeof people)[number]
      readonly employment: 1 | 2
      readonly job: (typeof jobs)[number]
      readonly status: 'active' | 'leave' | 'terminated' | 'prehire'
      /** Effective so many times ten minutes from the beginning: also before it, also out of order. */
      readonly when: number
      readonly immediate: boolean
      /** Told twice, by two events. */
      readonly twice: boolean
    }
  | { readonly kind: 'rescind'; readonly person: (typeof people)[number]; readonly nth: number }
  | { readonly kind: 'evaluate' | 'dispatch' | 'provision' | 'seeOff' | 'storm' | 'sweep' | 'quiesce' }
  | { readonly kind: 'wait'; readonly tenMinutes: number }
  | { readonly kind: 'crash'; readonly at: (typeof labels)[number] }
  | { readonly kind: 'lose'; readonly what: 'answer' | 'request' }

const person = fc.constantFrom(...people)

export const happenings: fc.Arbitrary<readonly Happening[]> = fc.array(
  fc.oneof(
    {
      weight: 7,
      arbitrary: fc.record({
        kind: fc.constant('event' as const),
        person,
        employment: fc.constantFrom(1 as const, 1 as const, 2 as const),
        job: fc.constantFrom(...jobs),
        status: fc.constantFrom('active', 'active', 'active', 'terminated', 'terminated', 'leave', 'prehire'),
        when: fc.integer({ min: -6, max: 6 }),
        immediate: fc.boolean(),
        twice: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('rescind' as const), person, nth: fc.nat(3) }) },
    {
      weight: 7,
      arbitrary: fc.record({
        kind: fc.constantFrom('evaluate', 'dispatch', 'provision', 'seeOff', 'storm', 'sweep', 'quiesce'),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('wait' as const), tenMinutes: fc.integer({ min: 1, max: 6 }) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), at: fc.constantFrom(...labels) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('lose' as const), what: fc.constantFrom('answer', 'request') }),
    },
  ) as fc.Arbitrary<Happening>,
  { minLength: 5, maxLength: 22 },
)

const inputOf = (happening: Extract<Happening, { kind: 'event' }>, beginning: number): WorkerInput => ({
  person: happening.person,
  employment: `${happening.person}-${happening.employment}`,
  primary: happening.employment === 1,
  status: happening.status,
  urgency: happening.immediate && happening.status === 'terminated' ? 'immediate' : 'normal',
  effectiveAt: beginning + happening.when * tenMinutes,
  attributes: { jobCode: happening.job, department: 'LENDING' },
})

/** A stage that dies takes its own work with it, and nothing else. */
const survive = async (work: () => Promise<unknown>): Promise<void> => {
  try {
    await work()
  } catch (error) {
    if ((error as { code?: string }).code !== 'ECONNRESET') throw error
  }
}

export type Course = {
  readonly house: House
  readonly gates: Gates
  readonly faults: Faults
  readonly beginning: number
  /** Event ids that were told of each person. */
  readonly told: Map<string, string[]>
  /** After these dispatches were provisioned, together. */
  readonly afterProvision: (dispatches: readonly number[]) => Promise<void>
}

const queued = async (house: House): Promise<readonly number[]> =>
  (await house.rows<{ id: number }>(`select id from muster.dispatch where state = 'queued' order by id`)).map(
    ({ id }) => id,
  )

/** A leaver's short way: evaluated, dispatched and claimed at once, then carried out. Which dispatches it had. */
const shortWay = async ({ engine }: House): Promise<readonly number[]> => {
  const carried: number[] = []
  await survive(async () => {
    const { claims, begun } = await seeOff(engine)
    for (const claim of claims) carried.push(claim.dispatch)
    await Promise.all(claims.map((claim) => survive(() => carryOut(engine, claim, begun))))
  })
  return carried
}

/** Makes one of it happen. */
export const happen = async (course: Course, happening: Happening): Promise<void> => {
  const { house, gates, faults, beginning, told, afterProvision } = course
  switch (happening.kind) {
    case 'event': {
      const ids = told.get(happening.person) ?? []
      told.set(happening.person, ids)
      for (let i = 0; i < (happening.twice ? 2 : 1); i++) ids.push(await house.tell(inputOf(happening, beginning)))
      return
    }
    case 'rescind': {
      const ids = told.get(happening.person) ?? []
      const supersedes = ids[happening.nth % Math.max(1, ids.length)]
      if (supersedes === undefined) return
      await house.tell({ person: happening.person, action: 'rescind', supersedes, effectiveAt: beginning })
      return
    }
    case 'evaluate':
      return survive(() => house.evaluateAll())
    case 'dispatch':
      await house.shift(600)
      return survive(() => house.dispatchAll())
    case 'provision': {
      for (const id of await queued(house)) {
        await survive(() => house.provision(id))
        await afterProvision([id])
      }
      return
    }
    case 'seeOff':
      return afterProvision(await shortWay(house))
    case 'storm': {
      const ids = await queued(house)
      const [short] = await Promise.all([
        shortWay(house),
        survive(() => evaluate(house.engine, 'leaver')),
        survive(() => evaluate(house.engine, 'bulk')),
        survive(() => house.dispatchAll('leaver')),
        ...ids.flatMap((id) => [survive(() => house.provision(id)), survive(() => house.provision(id))]),
      ])
      return afterProvision([...ids, ...short])
    }
    case 'sweep':
      await house.shift(house.engine.settings.leaseMs + 1)
      return survive(() => house.sweep())
    case 'quiesce':
      // What a crash left out there does not come back before its lease has run out.
      return survive(() => house.recover((id) => afterProvision([id])))
    case 'wait':
      return house.shift(happening.tenMinutes * tenMinutes)
    case 'crash':
      return gates.dieAt(happening.at)
    case 'lose':
      return faults.next(happening.what === 'answer' ? answerLost : requestLost)
  }
}
