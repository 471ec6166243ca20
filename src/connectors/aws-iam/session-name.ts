import type { NativeId } from '../../domain/ids.ts'
import { attributesHash, fillName, type Worker } from '../attribute-mapping.ts'
import { type AwsIamSettings, sessionNamePattern } from './config.ts'

/** The person's account here: the name of their sessions. null: the template does not fill to one. */
export const sessionNameOf = ({ session }: Pick<AwsIamSettings, 'session'>, worker: Worker): NativeId | null => {
  const name = fillName(session.name, worker)
  return isSessionName(name) ? (name as NativeId) : null
}

export const isSessionName = (name: string): boolean => sessionNamePattern.test(name)

/** All that an account has here is its name. */
export const hashOfName = (name: string): string => attributesHash(new Map([['sessionName', [name]]]))
