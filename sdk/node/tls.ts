import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import type { Server } from 'node:https'
import { BlockList, isIP } from 'node:net'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { Logger } from './log.ts'

/** PEM files of a server. */
export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

/** How often the files are looked at; a mounted secret is swapped by a link, of which no event comes. */
const lookEveryMs = 2_000

/**
 * What a server speaks TLS with: 1.3 is offered, nothing below 1.2 is taken.
 * @throws Error that names the files where they cannot be read or do not belong together; never what is in them.
 */
export function loadTls({ certFile, keyFile }: TlsFiles): SecureContextOptions {
  try {
    const options = {
      cert: readFileSync(certFile),
      key: readFileSync(keyFile),
      minVersion: 'TLSv1.2',
    } as const
    createSecureContext(options)
    return options
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw new Error(`${certFile} and ${keyFile} are no certificate with its key${code}`, { cause: error })
  }
}

/**
 * Takes a new certificate into use when its files change; connections that are open keep theirs. Files that will not do
 * leave the old one in use. Gives what ends the watching.
 */
export function followTls(
  server: Pick<Server, 'setSecureContext'>,
  files: TlsFiles,
  { log, everyMs = lookEveryMs }: { readonly log: Logger; readonly everyMs?: number },
): () => void {
  const renew = (): void => {
    try {
      server.setSecureContext(loadTls(files))
      log.info({ certFile: files.certFile }, 'a new certificate is in use')
    } catch (error) {
      log.error({ err: error }, 'the certificate changed but cannot be used: the one before stays in use')
    }
  }
  const paths = [files.certFile, files.keyFile]
  for (const path of paths) watchFile(path, { interval: everyMs, persistent: false }, renew)
  return () => {
    for (const path of paths) unwatchFile(path, renew)
  }
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

function isLoopback(host: string): boolean {
  const family = isIP(host)
  return family === 0 ? host === 'localhost' : loopback.check(host, family === 4 ? 'ipv4' : 'ipv6')
}

const isWildcard = (host: string): boolean => /^(0\.0\.0\.0|::|\[::\]|0)$/.test(host)

/**
 * What is to be said of where a program is about to listen: nothing where it is TLS, this machine alone, or behind a
 * declared proxy; a warning for clear text on one address.
 * @throws Error for clear text on every address.
 */
export function checkListening(place: {
  readonly host: string
  readonly tls: boolean
  /** `SIGNALBOX_TRUSTED_PROXIES` names who ends TLS before this program. */
  readonly behindProxy: boolean
}): string | undefined {
  const { host, tls, behindProxy } = place
  if (tls || behindProxy || isLoopback(host)) return undefined
  const help =
    'set SIGNALBOX_TLS_CERT and SIGNALBOX_TLS_KEY, or name the proxy that ends TLS in SIGNALBOX_TRUSTED_PROXIES'
  if (isWildcard(host)) {
    throw new Error(`SIGNALBOX_HOST=${host} without TLS would send keys and tokens in clear text: ${help}`)
  }
  return `keys and tokens go in clear text on ${host}: ${help}`
}
