/** One HR event as bytes, in the form of DESIGN §10. */
export type HrEvent = {
  readonly person: string
  readonly id?: string
  readonly effectiveAt: string
  readonly action?: 'assert' | 'correct' | 'rescind'
  readonly supersedes?: string
  readonly urgency?: 'normal' | 'immediate'
  /** Over the defaults of `worker`. */
  readonly worker?: Readonly<Record<string, unknown>>
}

let sequence = 0

export const hrMessage = ({
  person,
  id,
  effectiveAt,
  action = 'assert',
  supersedes,
  urgency = 'normal',
  worker,
}: HrEvent) => {
  const now = new Date().toISOString()
  const event = {
    specversion: '1.0',
    type: 'dev.muster.hr.worker.v1',
    source: '/test',
    id: id ?? `test-${process.pid}-${++sequence}`,
    subject: person,
    time: now,
    recordedtime: now,
    sequence: String(++sequence).padStart(10, '0'),
    datacontenttype: 'application/json',
    data: {
      action,
      supersedes: supersedes ?? null,
      effectiveAt,
      timezone: 'UTC',
      urgency,
      worker: {
        personKey: person,
        employmentKey: `${person}-1`,
        primary: true,
        workerType: 'employee',
        status: 'active',
        givenName: 'Given',
        familyName: `Family ${person}`,
        displayName: `Name ${person}`,
        username: person.toLowerCase(),
        workEmail: `${person.toLowerCase()}@bank.example`,
        hireDate: effectiveAt.slice(0, 10),
        lastDayOfWork: null,
        contractEndDate: null,
        involuntary: false,
        managerKey: null,
        company: 'BANK-IN',
        department: 'LENDING',
        costCenter: '4711',
        location: 'Mumbai',
        country: 'IN',
        jobCode: 'RM',
        jobTitle: 'Relationship Manager',
        jobLevel: '5',
        custom: {},
        ...worker,
      },
    },
  }
  return { key: person, value: JSON.stringify(event), headers: { 'content-type': 'application/cloudevents+json' } }
}
