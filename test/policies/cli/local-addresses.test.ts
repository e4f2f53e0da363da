import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { loadTls } from '@signalbox/sdk/node'
import { afterAll, expect, test } from 'vitest'
import type { CliConfig } from '../../../policies/cli/config.ts'
import { localAddresses, trustInChild, trustLocal } from '../../../policies/cli/local-addresses.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'signalbox-local-'))
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))
const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/tls/${name}.pem`, import.meta.url))
const certificate = fixture('first-cert')

const config = (given: Partial<CliConfig> = {}): CliConfig => ({
  ...{ gatewayPort: 8787, controlPlanePort: 8788, host: '127.0.0.1', dataDir, environment: 'development' },
  ...{ colour: false, inCi: false, inherited: {}, ...given },
})

test('without a certificate both programs are reached in clear text, on this machine where they listen on all', () => {
  const gatewayUrl = 'http://127.0.0.1:8787'
  expect(localAddresses(config({ host: '0.0.0.0' }))).toMatchObject({ gatewayUrl })
  expect(localAddresses(config({ host: '::1' }))).toMatchObject({ controlPlaneUrl: 'http://[::1]:8788' })
})

test('a start with a certificate reaches both by HTTPS under a name that it has, and so do its children', async () => {
  const server = createServer(
    loadTls({ certFile: certificate, keyFile: fixture('first-key') }),
    (_, response) => response.end('heard'),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const given = config({
    ...{ tlsCertificateFile: certificate, controlPlanePort: port },
    inherited: { NODE_EXTRA_CA_CERTS: fixture('second-cert') },
  })
  const addresses = localAddresses(given)
  await expect(fetch(addresses.controlPlaneUrl)).rejects.toThrow()
  trustLocal(addresses)
  expect(await (await fetch(addresses.controlPlaneUrl)).text()).toBe('heard')
  const env = trustInChild(addresses, given)
  const script = `console.log(await (await fetch('${addresses.controlPlaneUrl}')).text())`
  const child = await promisify(execFile)(process.execPath, ['-e', script], { env })
  expect(child.stdout).toBe('heard\n')
  expect(readFileSync(env.NODE_EXTRA_CA_CERTS ?? '', 'utf8')).toContain(
    readFileSync(fixture('second-cert'), 'utf8'),
  )
  server.closeAllConnections()
  server.close()
})

test('a certificate that has no name of this machine is refused with what to do', () => {
  const given = config({ tlsCertificateFile: certificate, host: '10.9.8.7' })
  expect(() => localAddresses(given)).toThrow(/names none of 10\.9\.8\.7, .*npm run control-plane/s)
  expect(() => localAddresses(config({ tlsCertificateFile: 'none.pem' }))).toThrow(/none\.pem .*\(ENOENT\)/)
})
