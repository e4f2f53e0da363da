import { isIPv6 } from 'node:net'
import { Refusal } from '@signalbox/sdk/contract'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'

const windowS = 15 * 60

/**
 * Slows down those who guess. Counted by name and address, by address alone (many names), and by name alone (many
 * addresses); what is counted is forgotten after a quarter of an hour. A token signs in all the same, so nobody is
 * locked out for good.
 */
export interface Attempts {
  /** Counts one. @throws Refusal `rate_limited` with `Retry-After`. */
  count(name: string, address: string): Promise<void>
  /** Counts one who is sent to the identity provider. @throws Refusal `rate_limited`. */
  countVisit(address: string): Promise<void>
  /** It was the right password. */
  forget(name: string, address: string): Promise<void>
}

/** Whoever has one IPv6 address has 2^64. */
function placeOf(address: string): string {
  return isIPv6(address) ? address.split(':').slice(0, 4).join(':') : address
}

/** What a limiter says no with, as the caller reads it. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof RateLimiterRes)) return error
  const retryAfterS = Math.max(1, Math.ceil(error.msBeforeNext / 1000))
  return new Refusal('rate_limited', { message: 'Too many attempts to sign in.', retryAfterS })
}

export function createAttempts(): Attempts {
  const limiter = (points: number) => new RateLimiterMemory({ points, duration: windowS })
  const [byBoth, byAddress, byName, visits] = [limiter(5), limiter(50), limiter(100), limiter(300)]
  return {
    async count(name, address) {
      const place = placeOf(address)
      try {
        await byAddress.consume(place)
        await byBoth.consume(`${place} ${name}`)
        await byName.consume(name)
      } catch (error) {
        throw refusalOf(error)
      }
    },
    async countVisit(address) {
      try {
        await visits.consume(placeOf(address))
      } catch (error) {
        throw refusalOf(error)
      }
    },
    async forget(name, address) {
      await byBoth.delete(`${placeOf(address)} ${name}`)
    },
  }
}
