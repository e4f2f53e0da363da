import { access, mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Envelope, Refusal, type ReleaseDocument, type StateDocument } from '@signalbox/sdk/contract'
import type { Logger } from '@signalbox/sdk/node'
import type { ChangeFeed } from '../db/change-feed.ts'
import type { Database } from '../db/connect.ts'
import { describeFailure } from '../db/errors.ts'
import { loadBlob } from '../stores/blobs.ts'
import {
  findRootDocument,
  loadAllEnvironments,
  loadDocuments,
  loadRootDocument,
} from '../stores/documents.ts'
import { blobsOfRelease } from './release.ts'
import { blobsOfState } from './state.ts'

export interface MirrorTools {
  readonly db: Database
  readonly changes: ChangeFeed
  readonly log: Logger
  /** Holds a folder for each environment. */
  readonly folder: string
}
interface Place {
  readonly organisationId: string
  readonly environment: string
}

/** Documents that come in quick succession are laid down together. */
const delayMs = 100

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

/** A reader finds the file as it was or as it is, never half of it. */
async function lay(path: string, bytes: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.tmp`, bytes)
  await rename(`${path}.tmp`, path)
}

async function layBlobs(db: Database, { organisationId }: Place, folder: string, digests: readonly string[]) {
  for (const digest of digests) {
    const hex = digest.slice('sha256:'.length)
    const path = join(folder, 'blobs', hex.slice(0, 2), hex)
    if (await isThere(path)) continue
    const bytes = await loadBlob(db, organisationId, digest)
    if (bytes === undefined) throw new Refusal('not_found', { message: `The blob ${digest} is gone.` })
    await lay(path, bytes)
  }
}

async function layRoots(db: Database, { organisationId }: Place, folder: string): Promise<void> {
  const newest = (await loadRootDocument(db, organisationId))?.sequence ?? 0
  for (let sequence = 1; sequence <= newest; sequence++) {
    const path = join(folder, `root-${sequence}.json`)
    if (await isThere(path)) continue
    const root = await findRootDocument(db, organisationId, sequence)
    if (root !== undefined) await lay(path, root.envelope)
  }
}

/** Lays down the newest documents of an environment, their blobs first. */
export async function layMirror({ db, folder }: MirrorTools, place: Place): Promise<void> {
  const own = join(folder, place.environment)
  const { organisationId, environment } = place
  await lay(join(own, 'mirror.json'), `${JSON.stringify({ organisationId, environment })}\n`)
  await layRoots(db, place, own)
  for (const kind of ['state', 'release'] as const) {
    const [newest] = await loadDocuments(db, { ...place, kind }, 1)
    if (newest === undefined) continue
    const { payload } = JSON.parse(newest.envelope) as Envelope
    const document: unknown = JSON.parse(payload)
    const digests =
      kind === 'state' ? blobsOfState(document as StateDocument) : blobsOfRelease(document as ReleaseDocument)
    await layBlobs(db, place, own, digests)
    await lay(join(own, `${kind}.json`), newest.envelope)
  }
}

/** Keeps a mirror of all environments as it is published. Gives how to stop, which waits for what runs. */
export function keepMirror(tools: MirrorTools): () => Promise<void> {
  let running: Promise<void> | undefined
  let isDue = false
  const layAll = async (): Promise<void> => {
    while (isDue) {
      isDue = false
      try {
        for (const place of await loadAllEnvironments(tools.db)) await layMirror(tools, place)
      } catch (error) {
        tools.log.error({ err: describeFailure(error), folder: tools.folder }, 'the mirror cannot be written')
      }
    }
  }
  let timer: NodeJS.Timeout | undefined
  const soon = (): void => {
    isDue = true
    timer ??= setTimeout(() => {
      timer = undefined
      running = (running ?? Promise.resolve()).then(layAll)
    }, delayMs)
  }
  soon()
  const unsubscribe = tools.changes.subscribe((event) => {
    if (event.type === 'resync' || event.type === 'document') soon()
  })
  return async () => {
    unsubscribe()
    clearTimeout(timer)
    running = (running ?? Promise.resolve()).then(layAll)
    await running
  }
}
