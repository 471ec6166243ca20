/** Worker events as HR writes them. */

export type WrittenWorker = Readonly<Record<string, unknown>>
export type Written = { readonly worker?: WrittenWorker; readonly data?: WrittenWorker; readonly event?: WrittenWorker }

/** A structured event of this person, joined 2026-01-01 in Mumbai; the three parts override members of each level. */
export const workerEvent = (
  person: string,
  id: string,
  { worker, data, event }: Written = {},
): Record<string, unknown> => ({
  specversion: '1.0',
  type: 'dev.muster.hr.worker.v1',
  source: '/workday/bank',
  id,
  subject: person,
  time: '2026-01-01T08:00:00Z',
  recordedtime: '2026-01-01T08:00:04Z',
  sequence: '0000000001',
  datacontenttype: 'application/json',
  data: {
    action: 'assert',
    supersedes: null,
    effectiveAt: '2026-01-01',
    timezone: 'Asia/Kolkata',
    urgency: 'normal',
    worker: {
      personKey: person,
      employmentKey: `${person}-1`,
      primary: true,
      workerType: 'employee',
      status: 'active',
      givenName: 'Amit',
      familyName: 'R',
      displayName: 'Amit R',
      username: person.toLowerCase(),
      workEmail: `${person.toLowerCase()}@bank.example`,
      hireDate: '2026-01-01',
      lastDayOfWork: null,
      contractEndDate: null,
      involuntary: false,
      managerKey: 'P-0100',
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
    ...data,
  },
  ...event,
})

export const terminated = (person: string, id: string, written: Written = {}) =>
  workerEvent(person, id, {
    ...written,
    worker: { status: 'terminated', ...written.worker },
    data: { effectiveAt: '2026-02-01', ...written.data },
  })
