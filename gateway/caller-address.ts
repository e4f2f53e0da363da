import type { IncomingMessage } from 'node:http'
import { type AddressRanges, clientAddress } from '@signalbox/sdk/node'

/** Where a request comes from, declared proxies (`SIGNALBOX_TRUSTED_PROXIES`) passed over. */
export function callerAddress(
  { socket, headers }: IncomingMessage,
  { proxies }: { readonly proxies?: AddressRanges | undefined },
): string {
  return clientAddress(socket.remoteAddress, headers['x-forwarded-for'], proxies)
}
