import { X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import type { CliConfig } from './config.ts'

/** Where a local start reaches its own programs, and others on this machine reach them. */
export interface LocalAddresses {
  readonly controlPlaneUrl: string
  readonly gatewayUrl: string
  /** Of the certificate that both programs show; absent for clear text. */
  readonly certificateFile?: string
}

const loopbackNames = ['127.0.0.1', 'localhost']

/** Names under which this machine reaches what listens on `SIGNALBOX_HOST`, the first preferred. */
function namesOf(host: string): readonly string[] {
  const isAnywhere = host === '0.0.0.0' || host === '::'
  return isAnywhere || loopbackNames.includes(host) ? loopbackNames : [host]
}

const urlHost = (name: string): string => (isIP(name) === 6 ? `[${name}]` : name)

function certificateOf(file: string): X509Certificate {
  try {
    return new X509Certificate(readFileSync(file))
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
    throw new Error(`SIGNALBOX_TLS_CERT: ${file} is no certificate${code}`, { cause })
  }
}

/**
 * The origins of both programs as `SIGNALBOX_HOST` and the ports say; with a certificate HTTPS, under a name of this
 * machine that it has.
 * @throws Error where the certificate has none, or cannot be read.
 */
export function localAddresses(config: CliConfig): LocalAddresses {
  const { tlsCertificateFile: certificateFile } = config
  const names = namesOf(config.host)
  const urls = (scheme: string, name: string): LocalAddresses => ({
    controlPlaneUrl: `${scheme}://${urlHost(name)}:${config.controlPlanePort}`,
    gatewayUrl: `${scheme}://${urlHost(name)}:${config.gatewayPort}`,
  })
  if (certificateFile === undefined) return urls('http', names[0] ?? config.host)
  const certificate = certificateOf(certificateFile)
  const known = names.find(
    (name) => (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined,
  )
  if (known === undefined) {
    throw new Error(
      `SIGNALBOX_TLS_CERT: ${certificateFile} names none of ${names.join(', ')}, where the programs of this machine are ` +
        'reached. Add one to it, or run the two programs by themselves: npm run control-plane, npm run gateway.',
    )
  }
  return { ...urls('https', known), certificateFile }
}

/**
 * Has this process trust the certificate of the programs that it reaches on this machine, beside all that it trusts
 * anyway: one that signs itself, or a file with its whole chain.
 */
export function trustLocal({ certificateFile }: LocalAddresses): void {
  if (certificateFile === undefined) return
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(certificateFile, 'utf8')])
}

/** Variables that have a child process trust what `trustLocal` does; for that a file is written to the data folder. */
export function trustInChild(
  { certificateFile }: LocalAddresses,
  { dataDir, inherited }: CliConfig,
): Readonly<Record<string, string>> {
  if (certificateFile === undefined) return {}
  const { NODE_EXTRA_CA_CERTS: others = '' } = inherited
  const files = others === '' ? [certificateFile] : [others, certificateFile]
  const file = resolve(dataDir, 'trusted.pem')
  mkdirSync(dataDir, { recursive: true })
  writeFileSync(file, files.map((each) => readFileSync(each, 'utf8')).join('\n'))
  return { NODE_EXTRA_CA_CERTS: file }
}
