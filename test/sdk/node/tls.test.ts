import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type SecureVersion } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { checkListening, createLogger, followTls, loadTls } from '@signalbox/sdk/node'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../../support/eventually.ts'

const folder = mkdtempSync(join(tmpdir(), 'signalbox-tls-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }
const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/tls/${name}.pem`, import.meta.url))

function use(name: 'first' | 'second'): void {
  copyFileSync(fixture(`${name}-cert`), files.certFile)
  copyFileSync(fixture(`${name}-key`), files.keyFile)
}

/** Shakes hands with these versions; gives the version that was agreed on, and whose certificate came. */
function shake(port: number, versions: { minVersion?: SecureVersion; maxVersion?: SecureVersion } = {}) {
  return new Promise<{ protocol: string | null; name: string }>((resolve, reject) => {
    const options = {
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ...versions,
      ciphers: 'ALL:@SECLEVEL=0',
    }
    const socket = connect(options, () => {
      resolve({ protocol: socket.getProtocol(), name: String(socket.getPeerCertificate().subject.CN) })
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

describe('a server with a certificate', () => {
  it('speaks 1.3 and 1.2, nothing older, and takes a new certificate when the files change', async () => {
    use('first')
    const server = createServer(loadTls(files))
    const stop = followTls(server, files, { log: createLogger('test', 'silent'), everyMs: 20 })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      stop()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    expect(await shake(port)).toEqual({ protocol: 'TLSv1.3', name: 'first' })
    expect((await shake(port, { maxVersion: 'TLSv1.2' })).protocol).toBe('TLSv1.2')
    await expect(shake(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })).rejects.toThrow()
    use('second')
    await eventually(async () => expect((await shake(port)).name).toBe('second'))
    writeFileSync(files.certFile, 'half a certifi')
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect((await shake(port)).name).toBe('second')
    use('first')
    await eventually(async () => expect((await shake(port)).name).toBe('first'))
  })

  it('does not start with files that are missing or do not belong together, and shows nothing of them', () => {
    expect(() => loadTls({ certFile: join(folder, 'no.pem'), keyFile: files.keyFile })).toThrow(
      /no\.pem.*ENOENT/,
    )
    const mixed = { certFile: fixture('first-cert'), keyFile: fixture('second-key') }
    expect(() => loadTls(mixed)).toThrow(/are no certificate with its key/)
    expect(() => loadTls(mixed)).not.toThrow(/BEGIN/)
  })
})

describe('where a program listens', () => {
  const place = (host: string, more: object = {}) => ({ host, tls: false, behindProxy: false, ...more })

  it('may be this machine in clear text, and anything with TLS or behind a proxy', () => {
    for (const host of ['127.0.0.1', '::1', 'localhost', '127.9.9.9']) {
      expect(checkListening(place(host))).toBeUndefined()
    }
    for (const more of [{ tls: true }, { behindProxy: true }]) {
      expect(checkListening(place('0.0.0.0', more))).toBeUndefined()
    }
  })

  it('is warned of on the network, and refused on every address', () => {
    expect(checkListening(place('10.0.0.7'))).toMatch(/clear text on 10\.0\.0\.7.*SIGNALBOX_TLS_CERT/)
    for (const host of ['0.0.0.0', '::']) {
      expect(() => checkListening(place(host))).toThrow(`SIGNALBOX_HOST=${host} without TLS`)
    }
  })
})
