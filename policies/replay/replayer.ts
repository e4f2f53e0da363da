import type { CallRecord, ExportedRecord, Facts } from '@signalbox/sdk/contract'
import { digestOf, digestOfJson } from '@signalbox/sdk/node'
import { columnsFor, type ExplainedVersion, obstacleOf } from '../explain/recompute.ts'
import type { Engine, Evaluation, LoadedProgram, ModelColumns } from '../program.ts'
import { DeciderReader, type Deciders, type ReplayLibrary } from './deciders.ts'
import { type ReplayedSelection, replaySelection } from './replay-selection.ts'
import { Shelf } from './shelf.ts'
import { askedThen } from './switched-off.ts'

/** What deciding a recorded call again came to. */
export interface Replay {
  readonly id: string
  /** `undecided`: the call ended before any policy was asked, so that there is nothing to replay. */
  readonly status: 'same' | 'different' | 'notReplayable' | 'undecided'
  readonly recordedDigest: string | null
  readonly replayedDigest: string | null
  /** Why it could not be replayed, or what differs. */
  readonly why: string | null
  readonly engine: { readonly recorded: string | null; readonly here: string; readonly same: boolean }
  readonly selection: ReplayedSelection | null
}
/** A replay with what it was made of. `evaluation` is there where the call could be decided. */
export interface ReplayedCall {
  readonly replay: Replay
  readonly deciders: Deciders | undefined
  readonly evaluation: Evaluation | undefined
}
/** Versions as they decide calls of one environment. */
export interface LoadedDeciders {
  readonly program: LoadedProgram
  models(facts: Facts): readonly ModelColumns[]
}

/** Sets of versions that are kept loaded. */
const programsMax = 8
const modelListsMax = 1024
const goneWhy = 'the body of the record is no longer kept'
const changedFactsWhy = 'the facts do not have the digest that was recorded: they were changed after the call'

/** Loads versions, root first. Throws where a script does not load here. */
export function loadDeciders(
  engine: Engine,
  versions: readonly ExplainedVersion[],
  around: { readonly environment: string; readonly catalogue: Deciders['catalogue'] },
): LoadedDeciders {
  const { environment, catalogue } = around
  const loaded = versions.flatMap(({ script, ...rest }) =>
    script === undefined ? [] : [{ ...rest, script }],
  )
  const columns = columnsFor(versions, environment, catalogue)
  const known = new Map<string, readonly ModelColumns[]>()
  return {
    program: engine.load(loaded, { environment }),
    models(facts) {
      const key = facts.models.map(({ target }) => target).join('\n')
      let models = known.get(key)
      if (models === undefined) {
        models = facts.models.map(({ target }) => columns(target))
        if (known.size < modelListsMax) known.set(key, models)
      }
      return models
    },
  }
}

/** Whether facts are the ones that were recorded. Gateways write them in canonical order, so plain JSON will do. */
function areWhole(facts: Facts, factsDigest: string | undefined): boolean {
  if (factsDigest === undefined) return true
  return digestOf(JSON.stringify(facts)) === factsDigest || digestOfJson(facts) === factsDigest
}

/** Decides recorded calls again, each with the versions, catalogue and params of its time. */
export class Replayer {
  readonly deciders: DeciderReader
  readonly #engine: Engine
  readonly #programs = new Shelf<LoadedDeciders>(programsMax)

  constructor(engine: Engine, library: ReplayLibrary) {
    this.#engine = engine
    this.deciders = new DeciderReader(library)
  }

  #load(deciders: Deciders, environment: string): Promise<LoadedDeciders> {
    const { versions, catalogue } = deciders
    const name = JSON.stringify([environment, versions.map(({ digest, nodePath }) => [digest, nodePath])])
    return this.#programs.get(`${name} ${deciders.engine}`, async () =>
      loadDeciders(this.#engine, versions, { environment, catalogue }),
    )
  }

  #withoutAnswer(record: ExportedRecord, status: 'notReplayable' | 'undecided', why: string): ReplayedCall {
    const here = this.#engine.digest
    return {
      replay: {
        ...{ id: record.row.id, status, why },
        recordedDigest: record.row.decisionDigest ?? null,
        replayedDigest: null,
        engine: { recorded: null, here, same: true },
        selection: null,
      },
      deciders: undefined,
      evaluation: undefined,
    }
  }

  /** Decides one recorded call again. Never throws for what a record or a version is like. */
  async replay({ row, body }: ExportedRecord): Promise<ReplayedCall> {
    if (row.effect === 'none' && body?.decision === undefined) {
      return this.#withoutAnswer({ row, body }, 'undecided', 'no policy was asked')
    }
    if (body === null) return this.#withoutAnswer({ row, body }, 'notReplayable', goneWhy)
    const record: CallRecord = { row, body }
    const recorded =
      row.decisionDigest ?? (body.decision === undefined ? undefined : digestOfJson(body.decision))
    const deciders = await this.deciders.of(record)
    const why = obstacleOf({ record, versions: deciders.versions })
    const { facts, masked = [] } = body
    if (why !== undefined || facts === undefined || recorded === undefined) {
      return this.#withoutAnswer(record, 'notReplayable', why ?? 'the facts were not recorded')
    }
    if (masked.length === 0 && !areWhole(facts, row.factsDigest)) {
      return this.#withoutAnswer(record, 'notReplayable', changedFactsWhy)
    }
    try {
      const { program, models } = await this.#load(deciders, row.environment)
      const params = body.params ?? deciders.params
      const evaluation = askedThen(program, body).evaluate({ facts, params, models: models(facts) })
      return { replay: this.#compare(record, recorded, { evaluation, deciders }), deciders, evaluation }
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error)
      return this.#withoutAnswer(record, 'notReplayable', `the version does not run here: ${what}`)
    }
  }

  #compare(
    { row, body }: CallRecord,
    recordedDigest: string,
    { evaluation, deciders }: { evaluation: Evaluation; deciders: Deciders },
  ): Replay {
    const { decision, decisionDigest: replayedDigest } = evaluation
    const here = this.#engine.digest
    const recorded = deciders.engine ?? null
    const isSame = recordedDigest === replayedDigest
    const sameEngine = recorded === null || recorded === here
    const why = sameEngine
      ? 'the same version and facts decide differently here'
      : `another engine decides differently: recorded with ${recorded}, replayed with ${here}`
    const selection =
      body.facts === undefined ? undefined : replaySelection(decision, body.facts, body.selection)
    return {
      id: row.id,
      status: isSame ? 'same' : 'different',
      ...{ recordedDigest, replayedDigest, why: isSame ? null : why },
      engine: { recorded, here, same: sameEngine },
      selection: selection ?? null,
    }
  }
}
