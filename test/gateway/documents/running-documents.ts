import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine, LoadedProgram, Program } from '@signalbox/policies'
import { digestOf, openEnvelope, type SealKeyPair } from '@signalbox/sdk/node'
import { pino } from 'pino'
import type { Clock } from '../../../gateway/clock.ts'
import { loadGatewayKey } from '../../../gateway/credentials/gateway-key.ts'
import type { ReleaseEngine } from '../../../gateway/documents/active-release.ts'
import { BlobStore } from '../../../gateway/documents/blob-store.ts'
import { ControlPlaneLink } from '../../../gateway/documents/control-plane-link.ts'
import { DocumentStore } from '../../../gateway/documents/document-store.ts'
import { type DocumentTimes, standardDocumentTimes } from '../../../gateway/documents/document-times.ts'
import { Documents } from '../../../gateway/documents/documents.ts'
import type { Mirror } from '../../../gateway/documents/mirror.ts'
import type { FakeControlPlane } from '../../support/fake-control-plane.ts'

export const engineDigest = digestOf('the engine of these tests')

/**
 * A policy engine of its own kind: a script that says `broken` does not load, and a vector holds where its facts are
 * the script's text. What a real engine makes of scripts is tested with the engine.
 */
export function createPlainEngine(): ReleaseEngine & { disposed: number } {
  const scripts = new WeakMap<Program, string>()
  const made = {
    disposed: 0,
    engine: {
      digest: engineDigest,
      load(workspaces, { environment }): LoadedProgram {
        const script = workspaces.map((each) => each.script).join('\n')
        if (script.includes('broken')) throw new Error('policies.js:1:1 SyntaxError')
        const unused = (): never => {
          throw new Error('these tests make no calls')
        }
        const program: LoadedProgram = {
          environment,
          workspaces: workspaces.map(({ compiled }) => compiled.name),
          candidates: [],
          policies: [],
          guardrails: [],
          evaluate: unused,
          inspect: unused,
          screen: unused,
          view: (indexes) =>
            made.engine.load(
              indexes.flatMap((index) => workspaces[index] ?? []),
              { environment },
            ),
          dispose: () => {
            made.disposed++
          },
        }
        scripts.set(program, script)
        return program
      },
      async loadApart(workspaces, options): Promise<LoadedProgram> {
        return made.engine.load(workspaces, options)
      },
      dispose: () => {},
    } satisfies Engine,
    indexCatalogue: () => ({ find: () => undefined, list: () => [] }),
    verifyVectors: async (program: Program, vectors: readonly { name: string; facts: unknown }[]) =>
      vectors.filter((vector) => vector.facts !== scripts.get(program)).map((vector) => vector.name),
  }
  return made
}

/** A clock that a test sets. */
export class SetClock implements Clock {
  offsetMs = 0
  nowMs(): number {
    return Date.now() + this.offsetMs
  }
  monotonicMs(): number {
    return performance.now() + this.offsetMs
  }
}

export const quickTimes: DocumentTimes = {
  ...standardDocumentTimes,
  backoffBaseMs: 5,
  backoffMaxMs: 40,
  heldMsMin: 20,
  pollMs: 20,
  pollsForMs: 300,
  maintenanceMs: 30,
}

export interface RunningDocuments {
  readonly documents: Documents
  readonly key: SealKeyPair
  readonly engine: ReleaseEngine & { disposed: number }
  readonly clock: SetClock
  readonly folder: string
}

const folders: string[] = []
const running: Documents[] = []

export function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-documents-'))
  folders.push(folder)
  return folder
}

/** Documents on a folder and a control plane, not yet connected. */
export async function openDocuments(
  controlPlane: FakeControlPlane,
  options: {
    folder?: string
    variables?: Readonly<Record<string, string>>
    times?: Partial<DocumentTimes>
    clock?: SetClock
    releaseSequenceMin?: number
    mirror?: Mirror
  } = {},
): Promise<RunningDocuments> {
  const folder = options.folder ?? createFolder()
  const engine = createPlainEngine()
  const clock = options.clock ?? new SetClock()
  const key = await loadGatewayKey(folder, undefined)
  const { rootEnvelope, root } = controlPlane.authority
  openEnvelope(rootEnvelope, 'root', root)
  const documents = new Documents({
    link: new ControlPlaneLink({ url: controlPlane.url, token: controlPlane.token }),
    root,
    store: new DocumentStore(join(folder, 'documents')),
    blobs: new BlobStore(join(folder, 'blobs')),
    engine,
    key,
    clock,
    log: pino({ level: 'silent' }),
    readVariable: (name) => options.variables?.[name],
    incarnation: crypto.randomUUID(),
    software: 'test',
    releaseSequenceMin: options.releaseSequenceMin,
    random: Math.random,
    mirror: options.mirror,
    times: { ...quickTimes, ...options.times },
  })
  await documents.loadFromDisk()
  running.push(documents)
  return { documents, key, engine, clock, folder }
}

/** Ends everything that a test opened. */
export async function closeAll(): Promise<void> {
  for (const documents of running.splice(0)) await documents.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}
