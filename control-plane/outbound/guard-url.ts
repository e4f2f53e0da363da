import { lookup as resolveName } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Refusal } from '@signalbox/sdk/contract'
import { isPublicAddress } from './public-address.ts'

/** Where a URL that somebody gave us may lead. */
export interface OutboundRules {
  /** `host` or `host:port` that may be private and without TLS: what the operator listed. */
  readonly trusted: readonly string[]
}

const urlLengthMax = 2048
/** A host as people and `URL` write it, without the brackets of IPv6. */
const bareHost = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')

function isTrusted(url: URL, { trusted }: OutboundRules): boolean {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  return trusted.some((each) => each === url.hostname || each === `${url.hostname}:${port}`)
}

/**
 * Takes a URL that requests are to go to: https and a name or address of the open internet, or one that the operator
 * listed. Names are looked at again when they are resolved (`guardedLookup`).
 * @throws Refusal `invalid_request` that says what is wrong; never with the URL's query, which may be a secret.
 */
export function guardUrl(text: string, rules: OutboundRules): URL {
  const refuse = (message: string): never => {
    throw new Refusal('invalid_request', { message, param: 'url' })
  }
  const url = URL.canParse(text) ? new URL(text) : refuse('This is no URL.')
  if (text.length > urlLengthMax) refuse(`The URL is longer than ${urlLengthMax} characters.`)
  if (url.username !== '' || url.password !== '') refuse('A URL with a user or password is not taken.')
  if (url.hash !== '') refuse('A URL with a fragment is not taken.')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') refuse('The URL must begin with https://.')
  if (isTrusted(url, rules)) return url
  if (url.protocol !== 'https:') refuse('The URL must begin with https://.')
  const host = bareHost(url)
  const isLocalName = /(^|\.)(localhost|local|internal|home\.arpa)$/i.test(host) || !/[.:]/.test(host)
  if (isLocalName || (isIP(host) !== 0 && !isPublicAddress(host))) {
    refuse(`${host} is not of the open internet. An operator can allow it in SIGNALBOX_WEBHOOK_HOSTS.`)
  }
  return url
}

/** Fails for a name that leads to an address which is not of the open internet. */
export class ClosedAddressError extends Error {}

/**
 * The lookup for a request to a guarded URL: every address of the name must be open, and the connection goes to one
 * of those that were looked at, so that a name cannot change its mind in between.
 */
export function guardedLookup(url: URL, rules: OutboundRules): LookupFunction | undefined {
  if (isTrusted(url, rules)) return undefined
  return (name, options, done) => {
    resolveName(name, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, [])
      if (addresses.length === 0 || addresses.some(({ address }) => !isPublicAddress(address))) {
        return done(
          new ClosedAddressError('the name leads to an address that is not of the open internet'),
          [],
        )
      }
      if (options.all === true) return done(null, addresses)
      const [first] = addresses
      return done(null, first?.address ?? '', first?.family ?? 4)
    })
  }
}
