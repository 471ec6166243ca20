import { type Cloud, clouds } from './clouds.ts'
import type { EntraSettings } from './config.ts'

export const cloudOf = ({ cloud }: Pick<EntraSettings, 'cloud'>): Cloud =>
  typeof cloud === 'string' ? clouds[cloud] : { ...cloud, known: false }
