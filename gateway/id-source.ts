import { randomFillSync } from 'node:crypto'
import { v7 } from 'uuid'

const idBytes = 16
/** Random bytes are drawn for this many ids at once; one by one they cost more than all else of an id. */
const idsPerPage = 256

/** Makes UUIDv7s: unique, ordered by time to the millisecond. */
export function createIdSource(fill: (page: Uint8Array) => unknown = randomFillSync): () => string {
  const page = new Uint8Array(idBytes * idsPerPage)
  let used = page.length
  const rng = (): Uint8Array => {
    if (used === page.length) {
      fill(page)
      used = 0
    }
    used += idBytes
    return page.subarray(used - idBytes, used)
  }
  return () => v7({ rng })
}
