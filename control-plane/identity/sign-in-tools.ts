import { type Attempts, createAttempts } from './attempts.ts'
import { type Cookies, createCookies } from './cookies.ts'
import { createOidc, type Oidc, type OidcSettings } from './oidc.ts'
import { createPasswords, type Passwords } from './passwords.ts'
import type { RoleRule } from './role-mapping.ts'

/** What signing in needs beside the database. */
export interface SignInTools {
  readonly passwords: Passwords
  readonly attempts: Attempts
  readonly cookies: Cookies
  /** The identity provider, where one is configured, and who gets which role. */
  readonly oidc: { readonly provider: Oidc; readonly mapping: readonly RoleRule[] } | undefined
}

export function createSignInTools(options: {
  /** Browsers reach the console over HTTPS. */
  readonly secure: boolean
  readonly oidc?: { readonly settings: OidcSettings; readonly mapping: readonly RoleRule[] } | undefined
  readonly nowMs: () => number
}): SignInTools {
  const { oidc, nowMs } = options
  return {
    passwords: createPasswords(),
    attempts: createAttempts(),
    cookies: createCookies(options),
    oidc:
      oidc === undefined ? undefined : { provider: createOidc(oidc.settings, nowMs), mapping: oidc.mapping },
  }
}
