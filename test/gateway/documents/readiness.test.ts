import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Documents } from '../../../gateway/documents/documents.ts'
import { readiness } from '../../../gateway/doors/health.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeControlPlane } from '../../support/fake-control-plane.ts'
import { keyRow, releaseDocument, stateDocument } from '../../support/signed-documents.ts'
import { closeAll, createFolder, engineDigest, openDocuments } from './running-documents.ts'

let controlPlane: FakeControlPlane
beforeEach(async () => {
  controlPlane = await new FakeControlPlane().start()
})
afterEach(async () => {
  await closeAll()
  await controlPlane.stop()
})

const release = (sequence: number) =>
  releaseDocument(controlPlane.blobs, { sequence }, { engine: engineDigest })
const statusOf = (documents: Documents) => readiness(documents, false).status
const untilReady = (documents: Documents) => eventually(() => expect(statusOf(documents)).toBe(200))

function offerFirst(): void {
  controlPlane.offer(release(1))
  controlPlane.offer(stateDocument(controlPlane.blobs, {}, { keys: [keyRow('ab'.repeat(32))] }))
}

/** A folder with a release and a state of sequence 1 on its disk. */
async function folderWithDocuments(): Promise<string> {
  const folder = createFolder()
  offerFirst()
  const { documents } = await openDocuments(controlPlane, { folder })
  documents.connect()
  await untilReady(documents)
  await documents.close()
  return folder
}

describe('a gateway is ready', () => {
  it('with the release that the start published, not with an older one from its disk', async () => {
    const folder = await folderWithDocuments()
    const { documents } = await openDocuments(controlPlane, { folder, releaseSequenceMin: 2 })
    documents.connect()
    await eventually(() => expect(documents.status().connected).toBe(true))
    expect(documents.current().release.sequence).toBe(1)
    expect(statusOf(documents)).toBe(503)
    expect(documents.awaited()).toContain('release of this start')
    controlPlane.offer(release(2))
    await untilReady(documents)
    expect(documents.current().release.sequence).toBe(2)
  })

  it('once the control plane was heard of, so that the next administrative write waits for it', async () => {
    const folder = await folderWithDocuments()
    const { documents } = await openDocuments(controlPlane, { folder })
    expect(statusOf(documents)).toBe(200)
    documents.connect()
    expect(statusOf(documents)).toBe(503)
    expect(documents.missing()).toEqual(['control plane'])
    expect(() => documents.current()).not.toThrow()
    await untilReady(documents)
  })

  it('from its disk where the control plane is away', async () => {
    const folder = await folderWithDocuments()
    await controlPlane.stop()
    const { documents } = await openDocuments(controlPlane, { folder })
    documents.connect()
    await untilReady(documents)
    controlPlane = await new FakeControlPlane().start()
  })

  it('from its disk after a bounded time where the control plane does not answer', async () => {
    const folder = await folderWithDocuments()
    const { documents, clock } = await openDocuments(controlPlane, {
      folder,
      times: { contactMsMax: 60_000 },
    })
    documents.connect()
    expect(statusOf(documents)).toBe(503)
    clock.offsetMs += 60_001
    expect(statusOf(documents)).toBe(200)
  })

  it('while polls stand in for an event stream that is refused', async () => {
    const folder = await folderWithDocuments()
    controlPlane.eventsStatus = 404
    const { documents } = await openDocuments(controlPlane, { folder, times: { contactMsMax: 60_000 } })
    documents.connect()
    await untilReady(documents)
  })
})
