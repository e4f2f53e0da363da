import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  buildVersion,
  createEngine,
  indexCatalogue,
  loadCatalogue,
  loadWorkspaceFolder,
  writeStarter,
} from '@signalbox/policies'
import type { Snapshot } from '../../../gateway/snapshot.ts'
import { connectionOf, memoryKey, memorySnapshot } from '../../support/memory-snapshot.ts'
import { startGateway } from '../../support/running-gateway.ts'

/**
 * The way of a call alone, in a process of its own: documents in memory, records made and counted, nothing exported.
 * Arguments: port of the upstream, and `starter` (its policies in the sandbox) or `bare` (a policy of the host).
 * Prints its port, then the key.
 */
const [upstreamPort, policies] = process.argv.slice(2)
const baseUrl = `http://127.0.0.1:${upstreamPort}/v1`
const connections = [connectionOf('openai', { baseUrl })]

async function starterSnapshot(): Promise<Snapshot> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-call-path-'))
  await writeStarter(join(folder, 'starter'), { name: 'starter' })
  const catalogue = loadCatalogue()
  const files = await loadWorkspaceFolder(join(folder, 'starter'))
  rmSync(folder, { recursive: true })
  const { version } = await buildVersion(files, { catalogue, typeCheck: false })
  if (version === null) throw new Error('the starter does not compile')
  const { digest, script, compiled } = version
  const engine = await createEngine()
  const program = engine.load([{ digest, script, compiled, nodePath: [] }], { environment: 'development' })
  return {
    ...memorySnapshot({ connections, aliases: compiled.models, workspace: compiled, program }),
    catalogue: { ...indexCatalogue(catalogue.catalogue), digest: catalogue.digest },
  }
}

const gateway = await startGateway({
  snapshot: policies === 'starter' ? await starterSnapshot() : memorySnapshot({ connections }),
  keep: 0,
})
process.stdout.write(`${new URL(gateway.url).port}\n${memoryKey}\n`)
