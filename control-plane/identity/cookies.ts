import type { IncomingHttpHeaders } from 'node:http'
import { Refusal } from '@signalbox/sdk/contract'

/** Names and attributes of the console's cookies. */
export interface Cookies {
  /** Of the session; never sent with a request that another site started. */
  session(secret: string, maxAgeS: number): string
  readonly clearedSession: string
  readSession(headers: IncomingHttpHeaders): string | undefined
  /** Of a sign-in that is at the identity provider, which sends the browser back from another site. */
  signIn(state: string, maxAgeS: number): string
  readonly clearedSignIn: string
  readSignIn(headers: IncomingHttpHeaders): string | undefined
}

const cookieTextMax = 8192

function readCookie(headers: IncomingHttpHeaders, name: string): string | undefined {
  const text = headers.cookie
  if (text === undefined || text.length > cookieTextMax) return undefined
  for (const part of text.split(';')) {
    const at = part.indexOf('=')
    if (at !== -1 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim()
  }
  return undefined
}

/**
 * `secure`: the console is reached over HTTPS. Browsers then keep the `__Host-` cookie to this host, and one that was
 * set over clear text is not read.
 */
export function createCookies({ secure }: { readonly secure: boolean }): Cookies {
  const prefix = secure ? '__Host-' : ''
  const [session, signIn] = [`${prefix}sb_session`, `${prefix}sb_sign_in`]
  const end = secure ? '; Secure' : ''
  const make = (name: string, value: string, sameSite: string, maxAgeS: number): string =>
    `${name}=${value}; Path=/; HttpOnly; SameSite=${sameSite}; Max-Age=${maxAgeS}${end}`
  return {
    session: (secret, maxAgeS) => make(session, secret, 'Strict', maxAgeS),
    clearedSession: make(session, '', 'Strict', 0),
    readSession: (headers) => readCookie(headers, session),
    signIn: (state, maxAgeS) => make(signIn, state, 'Lax', maxAgeS),
    clearedSignIn: make(signIn, '', 'Lax', 0),
    readSignIn: (headers) => readCookie(headers, signIn),
  }
}

/**
 * A cookie comes with requests that other sites make too. One that changes something must say that it comes from the
 * console's own pages, which browsers do by themselves and no page can forge.
 * @throws Refusal `forbidden`.
 */
export function requireSameOrigin(method: string | undefined, headers: IncomingHttpHeaders): void {
  if (method === 'GET' || method === 'HEAD') return
  const site = headers['sec-fetch-site']
  if (site === 'same-origin') return
  const { origin, host } = headers
  const same = site === undefined && origin !== undefined && host !== undefined && hostOf(origin) === host
  if (!same) throw new Refusal('forbidden', { message: 'This request does not come from the console.' })
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
