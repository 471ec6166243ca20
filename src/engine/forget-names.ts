import { forgetPlaces } from '../store/budget.ts'
import type { Engine } from './engine.ts'

/** What the budget needs no more, and whose names may tell of a person. */
export const forgetNames = ({ db }: Pick<Engine, 'db'>): Promise<void> => forgetPlaces(db)
