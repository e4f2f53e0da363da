import type { CallRecord, ExportedRecord, Facts } from '@signalbox/sdk/contract'
import { type CatalogueIndex, indexCatalogue } from '../catalogue/index-catalogue.ts'
import { loadCatalogue } from '../catalogue/load-catalogue.ts'
import type { ExplainedVersion } from '../explain/recompute.ts'
import type { Engine, ParamValues } from '../program.ts'
import type { Deciders, ReplayLibrary } from '../replay/deciders.ts'
import { type Replay, type ReplayedCall, Replayer } from '../replay/replayer.ts'
import { Shelf } from '../replay/shelf.ts'
import { factsFor, unknownFact } from './candidate-facts.ts'
import { compareCalls, type Decided } from './compare-calls.ts'
import { countCall } from './counts.ts'
import { emptyTally, keepDifferences, type SelfReplay, type Tally } from './tally.ts'
import { hotParams, replaceVersion, type World, worldOf } from './world.ts'

/** What recorded calls are decided with beside the versions of their time. Plain data. */
export interface BacktestVersions {
  /** Undefined: calls are only replayed. */
  readonly candidate?: ExplainedVersion
  /** What the candidate is compared with; undefined: what decided each call. */
  readonly baseline?: ExplainedVersion
}

const worldsMax = 24

function countReplay(self: SelfReplay, { row, body }: ExportedRecord, replay: Replay): void {
  const { id, status, recordedDigest, replayedDigest, why } = replay
  self.records++
  self.fromMs = Math.min(self.fromMs, row.timeMs)
  self.toMs = Math.max(self.toMs, row.timeMs)
  if (status === 'undecided') {
    self.undecided++
    return
  }
  const isMasked = body?.factsClass === 'full' && (body.masked?.length ?? 0) > 0
  countCall(self.classes, body === null ? 'gone' : isMasked ? 'masked' : body.factsClass, id)
  if (status === 'notReplayable') countCall(self.notReplayable, why ?? '', id)
  if (status === 'same') self.same++
  if (status === 'different') {
    self.different++
    keepDifferences(self, [{ id, recordedDigest, replayedDigest, why }])
  }
  if (!replay.engine.same) countCall(self.otherEngines, replay.engine.recorded ?? '', id)
  const { selection } = replay
  if (selection === null) return
  self.selections[selection.status]++
  if (selection.status === 'different') countCall(self.differentSelections, selection.why ?? '', id)
}

/**
 * Decides recorded calls again: first with the versions of their time, which must give the same, and where there is a
 * candidate also with that. Calls are independent of each other; facts about budgets are those of the time.
 */
export class Backtester {
  readonly tally: Tally = emptyTally()
  readonly #engine: Engine
  readonly #replayer: Replayer
  readonly #versions: BacktestVersions
  readonly #here: CatalogueIndex
  readonly #worlds = new Shelf<World>(worldsMax)

  constructor(engine: Engine, library: ReplayLibrary, versions: BacktestVersions) {
    this.#engine = engine
    this.#replayer = new Replayer(engine, library)
    this.#versions = versions
    this.#here = indexCatalogue(loadCatalogue().catalogue)
  }

  #world(name: string, versions: readonly ExplainedVersion[], environment: string, catalogue = this.#here) {
    return this.#worlds.get(name, async () =>
      worldOf(versions, { engine: this.#engine, environment, catalogue }),
    )
  }

  /** One record. Never throws for what it is like. */
  async add(record: ExportedRecord): Promise<Replay> {
    const replayed = await this.#replayer.replay(record)
    const { replay, deciders, evaluation } = replayed
    countReplay(this.tally.self, record, replay)
    const { row, body } = record
    const canCompare = replay.status === 'same' && this.#versions.candidate !== undefined
    if (canCompare && body?.facts !== undefined && deciders !== undefined && evaluation !== undefined) {
      await this.#compare({ row, body }, body.facts, { deciders, evaluation })
    }
    return replay
  }

  async #compare(
    record: CallRecord,
    facts: Facts,
    { deciders, evaluation }: { deciders: Deciders; evaluation: NonNullable<ReplayedCall['evaluation']> },
  ): Promise<void> {
    const { candidate, baseline } = this.#versions
    if (candidate === undefined) return
    const { comparison } = this.tally
    const { id, environment } = record.row
    const { versions, catalogue } = deciders
    const own = await this.#world(deciders.key, versions, environment, catalogue)
    const params = record.body.params ?? deciders.params
    const isBaseline = baseline === undefined || versions.some(({ digest }) => digest === baseline.digest)
    const call = { record, facts, params, own, deciders }
    const before = isBaseline ? { world: own, facts, evaluation } : await this.#decide(call, baseline)
    const after = await this.#decide(call, candidate)
    const refused = typeof before === 'string' ? before : after
    if (typeof refused === 'string' || typeof before === 'string') {
      countCall(comparison.unanswerable, String(refused), id)
      return
    }
    compareCalls(comparison, record, before, refused)
  }

  /** Decides a recorded call with one version replaced; a text where that cannot be said. */
  async #decide(
    call: { record: CallRecord; facts: Facts; params: ParamValues; own: World; deciders: Deciders },
    version: ExplainedVersion,
  ): Promise<Decided | string> {
    const { record, params, own, deciders } = call
    const { id, environment } = record.row
    const { path } = call.facts.subject.node
    const versions = replaceVersion(deciders.versions, version, path)
    const name = `${deciders.key} ${version.digest}`
    let world: World
    try {
      world = await this.#world(name, versions, environment)
    } catch (error) {
      return `the version does not run here: ${error instanceof Error ? error.message : error}`
    }
    const unknown = unknownFact(record, call.facts, world)
    if (unknown !== undefined) return unknown
    const adapted = factsFor(call.facts, own, world)
    if (adapted === null) return { world, facts: call.facts, evaluation: null }
    for (const each of adapted.assumed) countCall(this.tally.comparison.assumed, each, id)
    const { facts } = adapted
    const hot = hotParams(params, deciders.versions, environment)
    const evaluation = world.program.evaluate({ facts, params: hot, models: world.models(facts) })
    return { world, facts, evaluation }
  }
}
