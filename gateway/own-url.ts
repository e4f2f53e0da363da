import { hostname } from 'node:os'

/** Where callers reach the gateway, as far as it knows by itself. */
export function ownUrl(
  { host, tlsKeyFile }: { readonly host: string; readonly tlsKeyFile?: string },
  port: number,
): string {
  const isWildcard = host === '0.0.0.0' || host === '::'
  const name = isWildcard ? hostname() : host.includes(':') ? `[${host}]` : host
  return `${tlsKeyFile === undefined ? 'http' : 'https'}://${name}:${port}`
}
