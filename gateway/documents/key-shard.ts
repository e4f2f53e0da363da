import { KeyRow, type KeyScopes } from '@signalbox/sdk/contract'
import { describeViolations, fits, violationsOf } from '@signalbox/sdk/node'
import { Rejection } from './rejection.ts'

/** The keys of one shard, ready to be looked up. */
export interface KeyShard {
  readonly count: number
  /** The key of this hash (64 hex digits). */
  find(hash: string): KeyRow | undefined
}

const hashPattern = /^[0-9a-f]{64}$/

function parseRow(line: string): KeyRow {
  let row: unknown
  try {
    row = JSON.parse(line)
  } catch (cause) {
    throw new Rejection('a key shard holds a line that is not JSON', { cause })
  }
  if (fits(KeyRow, row)) return row
  throw new Rejection(`a key shard holds no key: ${describeViolations(violationsOf(KeyRow, row))}`)
}

/** Rows of a shard's blob: NDJSON, ascending by hash, each with the shard's prefix. Throws a Rejection. */
export function* decodeKeyRows(bytes: Buffer, prefix: string): Generator<KeyRow> {
  let before = ''
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(10, start)
    const end = found === -1 ? bytes.length : found
    const row = parseRow(bytes.toString('utf8', start, end))
    if (!row.hash.startsWith(prefix) || row.hash <= before) {
      throw new Rejection(`the key shard "${prefix}" is not in order`)
    }
    before = row.hash
    yield row
    start = end + 1
  }
}

/**
 * Scopes of keys, each kind once: a million keys have few of them. 0 is no scopes. Those of keys that are gone stay
 * until the index is built anew from nothing.
 */
export class ScopeTable {
  readonly #indexes = new Map<string, number>()
  readonly #scopes: (KeyScopes | undefined)[] = [undefined]

  indexOf(scopes: KeyScopes | undefined): number {
    if (scopes === undefined) return 0
    const text = JSON.stringify(scopes)
    const known = this.#indexes.get(text)
    if (known !== undefined) return known
    this.#indexes.set(text, this.#scopes.length)
    return this.#scopes.push(scopes) - 1
  }

  at(index: number): KeyScopes | undefined {
    return this.#scopes[index]
  }
}

function withScopes(row: Omit<KeyRow, 'scopes'>, scopes: KeyScopes | undefined): KeyRow {
  return scopes === undefined ? row : { ...row, scopes }
}

/** A shard as a map: quickest to look up, some 400 bytes a key. */
export function createMapShard(bytes: Buffer, prefix: string, table = new ScopeTable()): KeyShard {
  const rows = new Map<string, KeyRow>()
  for (const { scopes, ...row } of decodeKeyRows(bytes, prefix)) {
    rows.set(row.hash, withScopes(row, table.at(table.indexOf(scopes))))
  }
  return { count: rows.size, find: (hash) => rows.get(hash) }
}

// One entry of a compact shard: hash, id, expiry (NaN: never), node (index of its id), place of its
// texts, scopes (index).
const idAt = 32
const expiryAt = 48
const nodeAt = 56
const textAt = 60
const scopesAt = 64
const entryBytes = 68

/** Node ids as small numbers, shared by the shards of an index. */
export class NodeIds {
  readonly #indexes = new Map<string, number>()
  readonly #ids: string[] = []

  indexOf(id: string): number {
    const known = this.#indexes.get(id)
    if (known !== undefined) return known
    this.#indexes.set(id, this.#ids.length)
    return this.#ids.push(id) - 1
  }

  at(index: number): string {
    return this.#ids[index] ?? ''
  }
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

function uuidFrom(entries: Buffer, at: number): string {
  const hex = entries.toString('hex', at, at + 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Texts of a key: its id where it is no UUID (a length of 0 says that it is one), then its name. */
function textsOf(row: KeyRow): Buffer {
  const id = uuidPattern.test(row.id) ? Buffer.alloc(0) : Buffer.from(row.id, 'utf8')
  const name = Buffer.from(row.name, 'utf8')
  const lengths = Buffer.alloc(4)
  lengths.writeUInt16LE(id.length, 0)
  lengths.writeUInt16LE(name.length, 2)
  return Buffer.concat([lengths, id, name])
}

/** A shard as sorted entries of fixed width, for binary search: 68 bytes a key and its name. */
export function createCompactShard(
  bytes: Buffer,
  prefix: string,
  nodeIds: NodeIds,
  table = new ScopeTable(),
): KeyShard {
  const rows = [...decodeKeyRows(bytes, prefix)]
  const texts = rows.map(textsOf)
  const entries = Buffer.alloc(rows.length * entryBytes)
  let textOffset = 0
  for (const [index, row] of rows.entries()) {
    const at = index * entryBytes
    entries.write(row.hash, at, 'hex')
    if (uuidPattern.test(row.id)) entries.write(row.id.replaceAll('-', ''), at + idAt, 'hex')
    entries.writeDoubleLE(row.expiresMs ?? Number.NaN, at + expiryAt)
    entries.writeUInt32LE(nodeIds.indexOf(row.node), at + nodeAt)
    entries.writeUInt32LE(textOffset, at + textAt)
    entries.writeUInt32LE(table.indexOf(row.scopes), at + scopesAt)
    textOffset += texts[index]?.length ?? 0
  }
  return new CompactShard(entries, Buffer.concat(texts), { nodeIds, table })
}

class CompactShard implements KeyShard {
  readonly #entries: Buffer
  readonly #texts: Buffer
  readonly #nodeIds: NodeIds
  readonly #scopes: ScopeTable

  constructor(entries: Buffer, texts: Buffer, shared: { nodeIds: NodeIds; table: ScopeTable }) {
    this.#entries = entries
    this.#texts = texts
    this.#nodeIds = shared.nodeIds
    this.#scopes = shared.table
  }

  get count(): number {
    return this.#entries.length / entryBytes
  }

  find(hash: string): KeyRow | undefined {
    if (!hashPattern.test(hash)) return undefined
    const wanted = Buffer.from(hash, 'hex')
    let low = 0
    let high = this.count - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const at = middle * entryBytes
      const order = wanted.compare(this.#entries, at, at + idAt)
      if (order === 0) return this.#rowAt(at, hash)
      if (order < 0) high = middle - 1
      else low = middle + 1
    }
    return undefined
  }

  #rowAt(at: number, hash: string): KeyRow {
    const entries = this.#entries
    const text = entries.readUInt32LE(at + textAt)
    const idLength = this.#texts.readUInt16LE(text)
    const nameAt = text + 4 + idLength
    const expiresMs = entries.readDoubleLE(at + expiryAt)
    const row = {
      hash,
      id: idLength === 0 ? uuidFrom(entries, at + idAt) : this.#texts.toString('utf8', text + 4, nameAt),
      node: this.#nodeIds.at(entries.readUInt32LE(at + nodeAt)),
      name: this.#texts.toString('utf8', nameAt, nameAt + this.#texts.readUInt16LE(text + 2)),
      expiresMs: Number.isNaN(expiresMs) ? null : expiresMs,
    }
    return withScopes(row, this.#scopes.at(entries.readUInt32LE(at + scopesAt)))
  }
}
