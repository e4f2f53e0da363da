import { followTls, type Logger, loadTls } from '@signalbox/sdk/node'
import type { LoadedConfig } from './config.ts'
import type { ServerOptions } from './server.ts'

interface TlsOptions extends Pick<LoadedConfig, 'config'> {
  readonly log: Logger
}

function tlsFiles({ tlsCertificateFile, tlsKeyFile }: TlsOptions['config']) {
  if (tlsCertificateFile === undefined || tlsKeyFile === undefined) return undefined
  return { certFile: tlsCertificateFile, keyFile: tlsKeyFile }
}

/** What the server speaks TLS with, and what ends the watching of its files. */
export function tlsOf({ config, log }: TlsOptions): {
  options: Pick<ServerOptions, 'tls'>
  unfollow: () => void
} {
  const files = tlsFiles(config)
  const found = { options: {}, unfollow: () => {} }
  if (files === undefined) return found
  const follow: NonNullable<ServerOptions['tls']>['follow'] = (server) => {
    found.unfollow = followTls(server, files, { log })
  }
  return Object.assign(found, { options: { tls: { context: loadTls(files), follow } } })
}
