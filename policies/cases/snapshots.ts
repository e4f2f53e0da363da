import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { canonicalJson } from '@signalbox/sdk/node'
import type { SourceFiles } from '../compile/built-version.ts'
import { CaseError } from './case-facts.ts'
import { documentDiff } from './document-diff.ts'

const snapshotFile = /^tests\/__snapshots__\/.*\.json$/

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
  readonly #isStored: boolean
  readonly #update: boolean

  constructor(casesPath: string, files: SourceFiles, options: { update: boolean }) {
    this.path = snapshotPath(casesPath)
    this.#isStored = files.has(this.path)
    this.#stored = options.update ? new Map() : readStored(this.path, files.get(this.path))
    this.#update = options.update
  }

  /** What is wrong with a snapshot; empty where it is as stored, or is being updated. */
  compare(name: string, value: unknown): string[] {
    const plain: unknown = JSON.parse(canonicalJson(value))
    this.#seen.set(name, plain)
    if (this.#update) return []
    if (!this.#stored.has(name)) return [`${this.path} has no snapshot of it; write it with -u`]
    const lines = documentDiff('', this.#stored.get(name), plain, { partial: false })
    return lines.length === 0 ? [] : [`differs from ${this.path}:`, ...lines.map((line) => `  ${line}`)]
  }

  /** Names of stored snapshots that no case asked for. */
  get stale(): string[] {
    return [...this.#stored.keys()].filter((name) => !this.#seen.has(name))
  }

  /** Writes what this run saw into the workspace's folder, and nothing else; a file of nothing is removed. */
  async store(folder: string): Promise<void> {
    const path = join(folder, this.path)
    if (this.#seen.size > 0) {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, `${JSON.stringify(Object.fromEntries(this.#seen), null, 2)}\n`)
    } else if (this.#isStored) await rm(path, { force: true })
  }
}

/** Snapshot files of cases files that are not there any more. */
export function orphanedSnapshots(files: SourceFiles, casesPaths: readonly string[]): string[] {
  const wanted = new Set(casesPaths.map(snapshotPath))
  return [...files.keys()].filter((path) => snapshotFile.test(path) && !wanted.has(path))
}

/** Removes snapshot files from the workspace's folder. */
export async function removeSnapshots(folder: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(join(folder, path), { force: true })
}
