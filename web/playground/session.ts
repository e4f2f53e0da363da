import type { Vocabulary } from '@signalbox/policies/engine'
import type { GetVersionReply, ListVersionsReply, TryFilesReply } from '@signalbox/sdk'
import type { ReactiveController, ReactiveControllerHost } from 'lit'
import { api, explainError } from '../api.ts'
import { type Draft, dropDraft, loadDraft, saveDraft } from './draft.ts'
import { Evaluator } from './evaluator.ts'
import type { Build, ParamsOfCall, TriedFacts } from './messages.ts'
import { SeenConditions } from './seen-conditions.ts'

export type PlaygroundProblem = TryFilesReply['problems'][number]
type Cases = NonNullable<TryFilesReply['cases']>

const buildDelayMs = 40
const completeDelayMs = 700
const factsDelayMs = 60
const versionsListed = 30

const severities = ['error', 'warning', 'note']
const rankOf = ({ severity }: PlaygroundProblem): number => severities.indexOf(severity)

/** What is edited, what it compiles to and what it decides: everything of the page but its looks. */
export class PlaygroundSession implements ReactiveController {
  readonly #host: ReactiveControllerHost
  readonly #evaluator = new Evaluator()
  readonly #texts = new Map<string, string>()
  #catalogue: unknown
  #params: ParamsOfCall = {}
  #building: AbortController | undefined
  #buildTimer: ReturnType<typeof setTimeout> | undefined
  #factsTimer: ReturnType<typeof setTimeout> | undefined
  #evaluation = 0

  versions: ListVersionsReply['items'] = []
  version: GetVersionReply | undefined
  /** Edited files. */
  files: Record<string, string> = {}
  open = ''
  openText = ''
  facts = { source: '', text: '{}' }
  problems: readonly PlaygroundProblem[] = []
  /** The last build that compiled, and the text of the open file in it. */
  build: Build | undefined
  /** Whether `build` is of what is written now. */
  isCurrent = false
  work: 'idle' | 'building' | 'checking' = 'idle'
  cases: Cases | null = null
  tried: TriedFacts | undefined
  triedError = ''
  error = ''
  isStarted = false
  /** From the last keystroke to its decision. */
  latencyMs = 0
  isKept = true
  vocabulary: Vocabulary | undefined
  seen = new SeenConditions()
  #editedMs = 0

  constructor(host: ReactiveControllerHost) {
    this.#host = host
    host.addController(this)
  }

  hostDisconnected(): void {
    this.#building?.abort()
    clearTimeout(this.#buildTimer)
    clearTimeout(this.#factsTimer)
    this.#evaluator.close()
  }

  get paths(): string[] {
    const stored = this.version?.files.map(({ path }) => path) ?? []
    return [...new Set([...stored, ...Object.keys(this.files)])]
  }

  /** Opens what the tab had, else the newest version; `recordId` brings the facts of a recorded call. */
  async start(recordId: string | null): Promise<void> {
    await this.#guarded(async () => {
      const draft = loadDraft()
      const [{ items }, catalogue] = await Promise.all([
        api().listVersions({ limit: versionsListed }),
        api().getCatalogue({}),
      ])
      this.versions = items
      this.#catalogue = catalogue
      const record = recordId === null ? undefined : await api().getRecord({ id: recordId })
      const isEdited = draft !== undefined && Object.keys(draft.files).length > 0
      const number = (isEdited ? draft.version : record?.row.version) ?? items[0]?.version
      if (number === undefined) return
      if (draft !== undefined) {
        this.files = { ...draft.files }
        this.facts = { ...draft.facts }
      }
      if (record !== undefined) this.#takeRecord(record.row.id, record.body)
      await this.#openVersion(number, draft?.open)
    })
    this.isStarted = true
    this.#host.requestUpdate()
  }

  /** Another version; edited files stay and are laid over that one. */
  async choose(version: number): Promise<void> {
    await this.#guarded(() => this.#openVersion(version, this.open))
  }

  async show(path: string): Promise<void> {
    await this.#guarded(async () => {
      this.openText = await this.text(path)
      this.open = path
      this.#keep()
    })
  }

  /** A file as it is written now. */
  async text(path: string): Promise<string> {
    const own = this.files[path] ?? this.#texts.get(path)
    if (own !== undefined) return own
    const version = String(this.version?.version ?? '')
    const { text } = await api().getVersionFile({ version, path })
    this.#texts.set(path, text)
    return text
  }

  edit(text: string): void {
    const path = this.open
    this.openText = text
    if (text === this.#texts.get(path)) delete this.files[path]
    else this.files[path] = text
    this.#changed()
  }

  /** Puts one file back to the version's, or all. */
  async revert(path?: string): Promise<void> {
    if (path === undefined) this.files = {}
    else delete this.files[path]
    if (Object.keys(this.files).length === 0) dropDraft()
    if (this.paths.includes(this.open)) await this.show(this.open)
    this.#changed()
  }

  setFacts(source: string, text: string): void {
    this.#params = {}
    this.facts = { source, text }
    this.#keep()
    clearTimeout(this.#factsTimer)
    this.#factsTimer = setTimeout(() => void this.evaluate(), factsDelayMs)
    this.#host.requestUpdate()
  }

  async pickRecord(id: string): Promise<void> {
    await this.#guarded(async () => {
      const { row, body } = await api().getRecord({ id })
      this.#takeRecord(row.id, body)
      await this.evaluate()
    })
  }

  /** Decides the facts with the last build that compiled. */
  async evaluate(): Promise<void> {
    const { build } = this
    if (build === undefined) return
    const turn = ++this.#evaluation
    try {
      const call = { given: JSON.parse(this.facts.text) as unknown, params: this.#params }
      const tried = await this.#evaluator.run(build, this.#catalogue, call)
      if (turn !== this.#evaluation) return
      this.tried = tried
      this.triedError = ''
      this.seen.add(tried.explanation)
      if (this.#editedMs > 0) this.latencyMs = performance.now() - this.#editedMs
      this.#editedMs = 0
    } catch (error) {
      if (turn !== this.#evaluation) return
      this.triedError =
        error instanceof SyntaxError ? `This is not JSON: ${error.message}` : String(Object(error).message)
    }
    this.#host.requestUpdate()
  }

  #takeRecord(id: string, body: { facts?: unknown; params?: ParamsOfCall }): void {
    if (body.facts === undefined) {
      this.error = 'The facts of this call were not recorded.'
      return
    }
    this.setFacts(`record ${id}`, JSON.stringify(body.facts, null, 2))
    this.#params = body.params ?? {}
  }

  async #openVersion(number: number, open: string | undefined): Promise<void> {
    this.#texts.clear()
    const version = await api().getVersion({ version: String(number) })
    this.version = version
    const first = version.files.find(({ path }) => path.startsWith('policies/'))?.path
    const path = open !== undefined && this.paths.includes(open) ? open : (first ?? 'signalbox.yaml')
    await this.show(path)
    await this.#run(false)
  }

  #changed(): void {
    this.#editedMs = performance.now()
    this.isCurrent = false
    this.#keep()
    this.#building?.abort()
    clearTimeout(this.#buildTimer)
    this.#buildTimer = setTimeout(() => void this.#guarded(() => this.#run(false)), buildDelayMs)
    this.#host.requestUpdate()
  }

  #keep(): void {
    const version = this.version?.version
    if (version === undefined) return
    const draft: Draft = { version, files: this.files, open: this.open, facts: this.facts }
    this.isKept = saveDraft(draft)
  }

  /** First what is needed to decide; then, when nobody types any more, types and cases as well. */
  async #run(complete: boolean): Promise<void> {
    const { version } = this
    if (version === undefined) return
    const abort = new AbortController()
    this.#building = abort
    this.work = complete ? 'checking' : 'building'
    this.#host.requestUpdate()
    const files = Object.entries(this.files).map(([path, text]) => ({ path, text }))
    try {
      const input = { version: String(version.version), files, complete }
      const reply = await api().tryFiles(input, { signal: abort.signal })
      if (abort.signal.aborted) return
      await this.#take(reply, complete)
    } catch (error) {
      if (!abort.signal.aborted) throw error
    }
    if (abort.signal.aborted) return
    this.work = 'idle'
    if (!complete)
      this.#buildTimer = setTimeout(() => void this.#guarded(() => this.#run(true)), completeDelayMs)
    this.#host.requestUpdate()
  }

  async #take({ build, problems, cases }: TryFilesReply, complete: boolean): Promise<void> {
    // Types are checked a little later: what was found before stays until then.
    const kept = complete ? [] : this.problems.filter(({ code }) => code.startsWith('TS'))
    this.problems = [...problems, ...kept].sort((a, b) => rankOf(a) - rankOf(b))
    if (complete) this.cases = cases
    if (build === null) return
    const isNew = build.digest !== this.build?.digest
    this.isCurrent = true
    this.build = build
    if (isNew) this.vocabulary = await this.#evaluator.load(build, this.#catalogue)
    if (isNew || this.tried === undefined) await this.evaluate()
  }

  async #guarded(action: () => Promise<void>): Promise<void> {
    try {
      this.error = ''
      await action()
    } catch (error) {
      this.work = 'idle'
      this.error = explainError(error)
    }
    this.#host.requestUpdate()
  }
}
