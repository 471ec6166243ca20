import { IdentitystoreClient } from '@aws-sdk/client-identitystore'
import { SSOAdminClient } from '@aws-sdk/client-sso-admin'
import { STSClient } from '@aws-sdk/client-sts'
import { wholeConfig } from '../aws-wire/client-config.ts'
import type { SignIn } from '../aws-wire/sign-in.ts'
import type { AwsSettings } from './config.ts'

export type AwsClients = {
  readonly identityStore: IdentitystoreClient
  readonly ssoAdmin: SSOAdminClient
  readonly sts: STSClient
  readonly close: () => void
}

export const createClients = (settings: AwsSettings, signedBy: SignIn): AwsClients => {
  const config = wholeConfig(settings, signedBy)
  const identityStore = new IdentitystoreClient(config)
  const ssoAdmin = new SSOAdminClient(config)
  const sts = new STSClient(config)
  return {
    identityStore,
    ssoAdmin,
    sts,
    close: () => {
      identityStore.destroy()
      ssoAdmin.destroy()
      sts.destroy()
    },
  }
}
