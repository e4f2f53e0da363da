import { hash } from 'node:crypto'

const leafMark = Buffer.from([0])
const nodeMark = Buffer.from([1])

function sha256(...parts: Uint8Array[]): Buffer {
  return hash('sha256', Buffer.concat(parts), 'buffer')
}

/**
 * Root of the key index: a Merkle tree over the shards' digests in prefix order (shape and domain separation of
 * RFC 6962 §2.1: leaves are marked 0, inner nodes 1; a lone node moves up unchanged). `sha256:` and 64 hex digits.
 */
export function keyIndexRoot(shardDigests: readonly string[]): string {
  if (shardDigests.length === 0) return `sha256:${sha256().toString('hex')}`
  let level = shardDigests.map((digest) => sha256(leafMark, Buffer.from(digest, 'utf8')))
  while (level.length > 1) {
    const next: Buffer[] = []
    for (let index = 0; index < level.length; index += 2) {
      const [left, right] = [level[index], level[index + 1]]
      if (left === undefined) break
      next.push(right === undefined ? left : sha256(nodeMark, left, right))
    }
    level = next
  }
  return `sha256:${level[0]?.toString('hex')}`
}
