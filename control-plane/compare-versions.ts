import { type ComparedSources, compareWarm, type PinnedCatalogue } from '@signalbox/policies'
import { Refusal, type VersionChanges } from '@signalbox/sdk/contract'
import { loadSources } from './publish.ts'
import { loadStoredCatalogue } from './replay-library.ts'
import { findVersion, type VersionRow } from './stores/versions.ts'
import type { TryTools, VersionSources } from './try-files.ts'

/** Comparisons that are kept: versions never change, and a page asks again whenever it is opened. */
const keptMax = 64
const sourcePrefix = 'source/'

/** What versions of a workspace mean differently; built again from their stored sources, apart from this thread. */
export class VersionComparer {
  readonly #tools: TryTools
  readonly #sources: VersionSources
  readonly #kept = new Map<string, Promise<VersionChanges>>()

  constructor(tools: TryTools, sources: VersionSources) {
    this.#tools = tools
    this.#sources = sources
  }

  /**
   * @throws Refusal `not_found`, `invalid_request` for versions of different workspaces, `check_failed` where the
   * sources of one do not compile any more, `not_ready` where too many ask.
   */
  async compare(organisationId: string, from: string, to: string): Promise<VersionChanges> {
    const { db } = this.#tools
    const before = await findVersion(db, organisationId, from)
    const after = await findVersion(db, organisationId, to)
    if (before.workspace !== after.workspace) {
      throw new Refusal('invalid_request', {
        message:
          `v${before.number} is a version of workspace "${before.workspace}", ` +
          `v${after.number} of "${after.workspace}": only versions of one workspace can be compared.`,
        param: 'from',
      })
    }
    const key = `${organisationId} ${before.digest} ${after.digest}`
    const known = this.#kept.get(key)
    if (known !== undefined) return await known
    const work = this.#tools.tryGate(() => this.#compare(before, after))
    this.#keep(key, work)
    return await work
  }

  #keep(key: string, work: Promise<VersionChanges>): void {
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= keptMax && oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(key, work)
    work.catch(() => this.#kept.delete(key))
  }

  async #compare(before: VersionRow, after: VersionRow): Promise<VersionChanges> {
    const sides = { before: await this.#load(before), after: await this.#load(after) }
    const diff = await compareWarm(this.#tools.tryThread, sides)
    if ('problem' in diff) {
      const { number } = diff.side === 'before' ? before : after
      const { file, line, column, message } = diff.problem
      throw new Refusal('check_failed', {
        message: `v${number} cannot be built by this release any more: ${file}:${line}:${column} ${message}`,
      })
    }
    const { digests, changes, weakened, costs } = diff
    const rebuilt = [
      ...(digests.before === before.digest ? [] : [before.number]),
      ...(digests.after === after.digest ? [] : [after.number]),
    ]
    return {
      workspace: after.workspace,
      before: { version: before.number, digest: before.digest },
      after: { version: after.number, digest: after.digest },
      rebuilt,
      changes: changes.map((each) => ({ ...each, details: [...each.details] })),
      weakened: [...weakened],
      costs: [...costs],
      files: changedFiles(before, after),
    }
  }

  async #load(version: VersionRow): Promise<ComparedSources> {
    const files = loadSources([...(await this.#sources.load(version.organisationId, version.digest))])
    return { files, catalogue: await this.#catalogueOf(version) }
  }

  /** The one that the version was made with, so that changes of prices are seen; today's where that is gone. */
  async #catalogueOf({
    organisationId,
    manifest,
  }: VersionRow): Promise<Pick<PinnedCatalogue, 'text' | 'digest'>> {
    const { catalogue: here, db } = this.#tools
    const { catalogue: digest } = manifest
    if (digest === here.digest) return { text: here.text, digest }
    const stored = await loadStoredCatalogue(db, organisationId, digest)
    return stored === undefined
      ? { text: here.text, digest: here.digest }
      : { text: JSON.stringify(stored), digest }
  }
}

function changedFiles(before: VersionRow, after: VersionRow): VersionChanges['files'] {
  const sources = ({ manifest }: VersionRow) =>
    new Map(
      manifest.blobs
        .filter(({ path }) => path.startsWith(sourcePrefix))
        .map(({ path, digest }) => [path.slice(sourcePrefix.length), digest]),
    )
  const [was, is] = [sources(before), sources(after)]
  return [...new Set([...was.keys(), ...is.keys()])].sort().flatMap((path): VersionChanges['files'] => {
    const [old, now] = [was.get(path), is.get(path)]
    if (old === now) return []
    return [{ path, change: old === undefined ? 'added' : now === undefined ? 'removed' : 'changed' }]
  })
}
