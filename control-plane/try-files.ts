import { buildWarm, type PinnedCatalogue, type WarmThread } from '@signalbox/policies'
import {
  type BodyOf,
  type Problem,
  Refusal,
  type ReplyOf,
  type versionOperations,
} from '@signalbox/sdk/contract'
import type { Database } from './db/connect.ts'
import type { Gate } from './gate.ts'
import type { RequestContext } from './handler.ts'
import { loadSources } from './publish.ts'
import { loadBlob } from './stores/blobs.ts'
import { findVersion } from './stores/versions.ts'

type Tried = ReplyOf<typeof versionOperations.tryFiles>
type File = BodyOf<typeof versionOperations.pushVersion>['files'][number]

/** Tries that run and that wait at the same time; pushes have a gate of their own and do not wait for these. */
export const tryLimits = { runningMax: 1, waitingMax: 16 } as const
/** Versions whose sources are kept at hand: whoever edits sends many requests on one. */
const versionsKeptMax = 4
const sourcePrefix = 'source/'

export interface TryTools {
  readonly db: Database
  readonly catalogue: PinnedCatalogue
  readonly tryGate: Gate
  readonly tryThread: WarmThread
}

/** Sources of stored versions; a version never changes, so what was read stays true. */
export class VersionSources {
  readonly #db: Database
  readonly #kept = new Map<string, readonly File[]>()

  constructor(db: Database) {
    this.#db = db
  }

  /** @throws Refusal `not_found`. */
  async load(organisationId: string, reference: string): Promise<readonly File[]> {
    const { digest, manifest } = await findVersion(this.#db, organisationId, reference)
    const key = `${organisationId} ${digest}`
    const known = this.#kept.get(key)
    if (known !== undefined) return known
    const files: File[] = []
    for (const { path, digest: blob } of manifest.blobs) {
      if (!path.startsWith(sourcePrefix)) continue
      const bytes = await loadBlob(this.#db, organisationId, blob)
      if (bytes === undefined) {
        throw new Refusal('not_found', { message: `The sources of ${reference} are no longer kept.` })
      }
      files.push({ path: path.slice(sourcePrefix.length), text: Buffer.from(bytes).toString('utf8') })
    }
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= versionsKeptMax && oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(key, files)
    return files
  }
}

/** The given files over those of the version. */
function overlaid(
  stored: readonly File[],
  edited: BodyOf<typeof versionOperations.tryFiles>['files'],
): File[] {
  const own = new Set(edited.map(({ path }) => path))
  return [
    ...stored.filter(({ path }) => !own.has(path)),
    ...edited.flatMap(({ path, text }) => (text === null ? [] : [{ path, text }])),
  ]
}

/**
 * Builds sources as a push does, under the limits of a push, and stores nothing. What is wrong with them is no error of
 * the request: it stands in the reply.
 * @throws Refusal `not_found`, `invalid_request`, `request_too_large`, `not_ready`.
 */
export async function tryFiles(
  tools: TryTools,
  sources: VersionSources,
  { organisationId, signal }: RequestContext,
  body: BodyOf<typeof versionOperations.tryFiles>,
): Promise<Tried> {
  const { version, files: edited, complete } = body
  const stored = version === undefined ? [] : await sources.load(organisationId, version)
  const files = loadSources(overlaid(stored, edited))
  const { catalogue } = tools
  return await tools.tryGate(async () => {
    // Whoever types on has sent another request by now.
    if (signal.aborted) throw new Refusal('not_ready', { message: 'The caller went away.' })
    const options = { catalogue, typeCheck: complete, runCases: complete }
    const { result, cases } = await buildWarm(tools.tryThread, files, options)
    const problems: Problem[] = [...result.problems, ...(cases?.problems ?? [])]
    const built = result.version
    return {
      problems,
      build:
        built === null
          ? null
          : {
              digest: built.digest,
              engine: built.manifest.engine.sandbox,
              catalogue: built.manifest.catalogue,
              compiled: built.compiled,
              script: built.script,
            },
      cases:
        cases === null
          ? null
          : {
              results: cases.results,
              coverage: cases.coverage.map(({ policy, file, conditions }) => ({
                ...{ policy, file },
                conditions: conditions.map(({ rule, text, line, column, seenTrue, seenFalse }) => {
                  return { rule, text, line, column, seenTrue, seenFalse }
                }),
              })),
            },
    }
  })
}
