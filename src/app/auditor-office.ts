import { isKnownPerson, personTrail, type TrailLine } from '../store/auditor-views.ts'
import { openDatabase } from '../store/database.ts'

export type { TrailLine }

/** The auditors' views, under their own role: it reads them and nothing else, and writes nothing. */
export type AuditorOffice = {
  readonly isKnown: (personKey: string) => Promise<boolean>
  readonly trail: (personKey: string) => Promise<readonly TrailLine[]>
  readonly close: () => Promise<void>
}

export const openAuditorOffice = (url: string): AuditorOffice => {
  const db = openDatabase({ url, max: 1, applicationName: 'muster-auditor', plans: 'usual' })
  return { isKnown: (key) => isKnownPerson(db, key), trail: (key) => personTrail(db, key), close: db.close }
}
