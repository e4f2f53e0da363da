import type { IncomingHttpHeaders } from 'node:http'
import { type KeyRow, keyPattern, Refusal, type TreeNode } from '@signalbox/sdk/contract'
import { hashSecret } from '@signalbox/sdk/node'
import type { Snapshot } from '../snapshot.ts'

/** Where a key's node hangs in the tree; the same for all keys of a node while the state holds. */
export interface NodePlace {
  readonly node: TreeNode
  /** Names below the organisation, down to the node. */
  readonly path: readonly string[]
  /** The nearest team at or above the node. */
  readonly team: { readonly id: string; readonly name: string } | undefined
  /** Indexes of the workspaces that decide for the node, root first; undefined for all. */
  readonly layers: readonly number[] | undefined
}
/** Who calls. */
export interface Caller {
  readonly key: KeyRow
  readonly place: NodePlace
}

/** A tree is at most this deep. */
const depthMax = 32
const bearer = /^Bearer +(\S+) *$/i
const places = new WeakMap<Snapshot, Map<string, NodePlace>>()

function queryKey(url: string): string | undefined {
  const start = url.indexOf('?')
  if (start === -1 || !url.includes('key=', start)) return undefined
  return new URLSearchParams(url.slice(start + 1)).get('key') ?? undefined
}

/** The one key that a request carries: every place of every vendor's client is read, two different ones are refused. */
function readKey(headers: IncomingHttpHeaders, url: string): string {
  const authorization = headers.authorization
  const candidates = [
    authorization === undefined ? undefined : (bearer.exec(authorization)?.[1] ?? authorization),
    headers['x-api-key'],
    headers['api-key'],
    headers['x-goog-api-key'],
    queryKey(url),
  ]
  let found: string | undefined
  for (const candidate of candidates) {
    if (candidate === undefined || candidate === '') continue
    const text = Array.isArray(candidate) ? candidate.join() : candidate
    if (found !== undefined && found !== text) {
      throw new Refusal('key_invalid', { message: 'Two different API keys were sent.' })
    }
    found = text
  }
  if (found === undefined) throw new Refusal('key_missing')
  return found
}

function placeOf(snapshot: Snapshot, nodeId: string): NodePlace {
  const node = snapshot.nodes.get(nodeId)
  if (node === undefined)
    throw new Refusal('key_invalid', { detail: `the key's node ${nodeId} is not in the tree` })
  const path: string[] = []
  const ids = new Set<string>()
  let team: NodePlace['team']
  for (let at: TreeNode | undefined = node; at !== undefined && ids.size < depthMax; ) {
    ids.add(at.id)
    if (at.kind !== 'organisation') path.unshift(at.name)
    if (at.kind === 'team' && team === undefined) team = { id: at.id, name: at.name }
    at = at.parentId === null ? undefined : snapshot.nodes.get(at.parentId)
  }
  const layers = snapshot.versions.flatMap((version, index) =>
    version.nodePath.length === 0 || ids.has(version.nodeId) ? [index] : [],
  )
  return { node, path, team, layers: layers.length === snapshot.versions.length ? undefined : layers }
}

/** Place of a node, worked out once per snapshot. */
function knownPlaceOf(snapshot: Snapshot, nodeId: string): NodePlace {
  let known = places.get(snapshot)
  if (known === undefined) {
    known = new Map()
    places.set(snapshot, known)
  }
  let place = known.get(nodeId)
  if (place === undefined) {
    place = placeOf(snapshot, nodeId)
    known.set(nodeId, place)
  }
  return place
}

/**
 * Finds out who calls. Nothing of the key leaves this function.
 * @throws Refusal `key_missing`, `key_invalid` or `key_revoked`, all 401.
 */
export function authenticate(
  headers: IncomingHttpHeaders,
  url: string,
  snapshot: Snapshot,
  nowMs: number,
): Caller {
  const text = readKey(headers, url)
  if (!keyPattern.test(text)) throw new Refusal('key_invalid')
  const environmentLetter = snapshot.release.environment.charAt(0).replace(/[^a-z]/, 'x')
  if (text.charAt(3) !== environmentLetter) {
    throw new Refusal('key_invalid', { message: 'The API key is of another environment.' })
  }
  const key = snapshot.findKey(hashSecret(text))
  if (key === undefined) throw new Refusal('key_invalid')
  if (key === 'revoked') throw new Refusal('key_revoked')
  if (key.expiresMs !== null && key.expiresMs <= nowMs) throw new Refusal('key_revoked')
  return { key, place: knownPlaceOf(snapshot, key.node) }
}
