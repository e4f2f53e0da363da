import { BlockList, isIP } from 'node:net'

/** `::ffff:10.0.0.1` is the IPv4 address that a socket for both families shows. */
function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  return mapped?.[1] ?? address.replace(/%.*$/, '')
}

/** Addresses and ranges (`10.0.0.0/8`, `2001:db8::/32`, `192.0.2.7`), ready to be asked. */
export class AddressRanges {
  readonly #list = new BlockList()

  /** @throws RangeError that names the first text that is no address or range. */
  constructor(ranges: readonly string[]) {
    for (const range of ranges) {
      const [address = '', bits, ...rest] = range.trim().split('/')
      const family = isIP(address)
      const max = family === 4 ? 32 : 128
      const length = bits === undefined ? max : /^\d{1,3}$/.test(bits) ? Number(bits) : -1
      if (family === 0 || rest.length > 0 || length < 0 || length > max) {
        throw new RangeError(`"${range}" is no address and no range like 10.0.0.0/8`)
      }
      this.#list.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6')
    }
  }

  /** Whether an address is in one of the ranges; what is no address is in none. */
  has(address: string): boolean {
    const plain = plainAddress(address)
    const family = isIP(plain)
    return family !== 0 && this.#list.check(plain, family === 4 ? 'ipv4' : 'ipv6')
  }
}

/** Reads ranges with commas between them. @throws RangeError. */
export function parseRanges(text: string): AddressRanges {
  return new AddressRanges(
    text
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== ''),
  )
}

/** Most hops of `X-Forwarded-For` that are looked at. */
const hopsMax = 32

/**
 * Where a request comes from: the peer, or, where the peer is a declared proxy, the nearest address of
 * `X-Forwarded-For` that is none. What stands before that is the caller's own word and is not believed.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | string[] | undefined,
  proxies: AddressRanges | undefined,
): string {
  let address = plainAddress(peer ?? '')
  if (proxies === undefined || forwardedFor === undefined) return address
  const text = typeof forwardedFor === 'string' ? forwardedFor : forwardedFor.join(',')
  for (const hop of text.split(',').reverse().slice(0, hopsMax)) {
    if (!proxies.has(address)) break
    const next = plainAddress(hop.trim().replace(/^\[([^\]]+)\](?::\d+)?$/, '$1'))
    if (isIP(next) === 0) break
    address = next
  }
  return address
}
