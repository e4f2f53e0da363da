import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '@signalbox/sdk'
import { createLogger, createSecret } from '@signalbox/sdk/node'
import { v7 as newId } from 'uuid'
import { loadConfig } from '../../control-plane/config.ts'
import { startControlPlane } from '../../control-plane/control-plane.ts'

export interface TestControlPlane {
  readonly url: string
  readonly rootToken: string
  readonly client: Client
  readonly organisationId: string
  stop(): Promise<void>
}

/** The whole control plane in this process, on a given database; several may share one. */
export async function startTestControlPlane(
  databaseUrl: string,
  options: { readonly rootToken?: string } = {},
): Promise<TestControlPlane> {
  const dataDir = mkdtempSync(join(tmpdir(), 'signalbox-control-plane-'))
  const rootToken = options.rootToken ?? createSecret('root')
  const config = loadConfig({
    SIGNALBOX_CONTROL_PLANE_PORT: '0',
    SIGNALBOX_DATA_DIR: dataDir,
    SIGNALBOX_ROOT_KEY: rootToken,
    SIGNALBOX_SECRET_KEY: 'a secret key for tests, long enough to be taken',
    SIGNALBOX_VERIFY_REPLIES: 'true',
    DATABASE_URL: databaseUrl,
  })
  const log = createLogger('control-plane', 'silent')
  const controlPlane = await startControlPlane(config, { log, nowMs: Date.now, newId, software: 'test/1' })
  const client = createClient({ url: controlPlane.url, token: rootToken })
  const { organisation } = await client.getMe()
  return {
    url: controlPlane.url,
    rootToken,
    client,
    organisationId: organisation.id,
    async stop() {
      await controlPlane.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
