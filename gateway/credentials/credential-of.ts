import type { Target } from '../targets.ts'
import type { AccessTokens } from './access-tokens.ts'

/**
 * What a target is asked with: the connection's credential, or the access token that it stands for. A promise only
 * where a token is needed.
 */
export function credentialOf(
  { provider, connection }: Pick<Target, 'provider' | 'connection'>,
  tokens: AccessTokens,
): string | undefined | Promise<string | undefined> {
  if (provider.tokenRequest === undefined || connection.status === 'simulated') return connection.credential
  return tokens.credentialFor(provider, connection.credential)
}
