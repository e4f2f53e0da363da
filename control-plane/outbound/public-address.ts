import { BlockList, isIP } from 'node:net'

/** IPv4 ranges that are not of the open internet (RFC 6890 and its registry). */
const closed4: readonly (readonly [string, number])[] = [
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
  ] as const),
  ...([
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.88.99.0', 24],
  ] as const),
  ...([
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
  ] as const),
  ['224.0.0.0', 3],
]
/** Within 2000::/3, the only open part of IPv6: Teredo, documentation, 6to4, which hide another address. */
const closed6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

function listOf(family: 'ipv4' | 'ipv6', ranges: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList()
  for (const [net, prefix] of ranges) list.addSubnet(net, prefix, family)
  return list
}
const blocked4 = listOf('ipv4', closed4)
const blocked6 = listOf('ipv6', closed6)
const open6 = listOf('ipv6', [['2000::', 3]])

/** Whether an address is of the open internet: no private, loopback, link-local, shared, multicast or mapped one. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !blocked4.check(address, 'ipv4')
  return family === 6 && open6.check(address, 'ipv6') && !blocked6.check(address, 'ipv6')
}
