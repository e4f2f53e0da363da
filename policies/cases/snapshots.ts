import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { canonicalJson } from '@signalbox/sdk/node'
import type { SourceFiles } from '../compile/built-version.ts'
import { CaseError } from './case-facts.ts'

/** `tests/a/b.cases.yaml` → `tests/__snapshots__/a/b.json`. */
function snapshotPath(casesPath: string): string {
  return casesPath.replace(/^tests\//, 'tests/__snapshots__/').replace(/\.cases\.ya?ml$/, '.json')
}

function readStored(path: string, text: string | undefined): ReadonlyMap<string, unknown> {
  if (text === undefined) return new Map()
  try {
    return new Map(Object.entries(Object(JSON.parse(text))))
  } catch {
    throw new CaseError(`${path} is not JSON`)
  }
}

/** The snapshots of one cases file: what is written there, and what this run saw. */
export class Snapshots {
  readonly path: string
  readonly #stored: ReadonlyMap<string, unknown>
  readonly #seen = new Map<string, unknown>()
  readonly #update: boolean

  constructor(casesPath: string, files: SourceFiles, options: { update: boolean }) {
    this.path = snapshotPath(casesPath)
    this.#stored = options.update ? new Map() : readStored(this.path, files.get(this.path))
    this.#update = options.update
  }

  /** What is wrong with a snapshot; empty where it is as stored, or is being updated. */
  compare(name: string, value: unknown): string[] {
    const plain: unknown = JSON.parse(canonicalJson(value))
    this.#seen.set(name, plain)
    if (this.#update) return []
    if (!this.#stored.has(name)) return [`${this.path} has no snapshot of it; write it with -u`]
    const stored = this.#stored.get(name)
    if (isDeepStrictEqual(stored, plain)) return []
    return [`differs from ${this.path}: expected ${canonicalJson(stored)}, got ${canonicalJson(plain)}`]
  }

  /** Writes what this run saw into the workspace's folder, where that is anything. */
  async store(folder: string): Promise<void> {
    if (this.#seen.size === 0) return
    const path = join(folder, this.path)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, `${JSON.stringify(Object.fromEntries(this.#seen), null, 2)}\n`)
  }
}
