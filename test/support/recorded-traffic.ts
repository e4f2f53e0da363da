import {
  baseFacts,
  buildVersion,
  columnsOf,
  createEngine,
  decisiveRule,
  type Engine,
  indexCatalogue,
  loadCatalogue,
  type ParamValues,
  type ReplayLibrary,
} from '@signalbox/policies'
import type { CallRecord, Facts, ReleaseContext, VersionBuild } from '@signalbox/sdk/contract'
import { digestOf } from '@signalbox/sdk/node'
import { type ExplainedVersion, namesOfVersions } from '../../policies/explain/recompute.ts'
import { replaySelection } from '../../policies/replay/replay-selection.ts'
import { callRecord } from './call-records.ts'

const environment = 'development'
const catalogue = indexCatalogue(loadCatalogue().catalogue)
export const trafficStartMs = 1_795_000_000_000
const stepMs = 3000
const features = ['search', 'polish', 'support', 'summary'] as const

type PartialFacts = NonNullable<Parameters<typeof baseFacts>[0]>

/** Aliases, connections and metadata of all that is recorded here. */
export const trafficWorkspace = `name: acme
connections:
  openai: { provider: openai, credential: env:OPENAI_API_KEY, region: us }
  anthropic: { provider: anthropic, credential: secret:anthropic }
  local: { provider: openai-compatible, baseUrl: http://127.0.0.1:11434/v1, locality: on-prem, region: eu }
models:
  smart: [anthropic/claude-opus-4-8, openai/gpt-5.5]
  cheap: [openai/gpt-5-mini, local/llama3.3]
metadata:
  tier: { enum: [free, paid] }
  feature: { type: string }
catalogue:
  local/llama3.3: { input: 0, output: 0 }
`
/** Denies long calls of the free tier, sends polishing to the smart model, and half of the users elsewhere. */
export const trafficFiles: Readonly<Record<string, string>> = {
  'signalbox.yaml': trafficWorkspace,
  'policies/free.policy.json': JSON.stringify({
    kind: 'constraint',
    id: 'free',
    rules: [
      {
        id: 'long',
        when: {
          all: [
            { eq: [{ fact: 'request.metadata.tier', or: 'paid' }, 'free'] },
            { gt: [{ fact: 'request.estimate.inputTokens' }, 900] },
          ],
        },
        then: { deny: { code: 'TOO_LONG', http: 413 } },
      },
    ],
  }),
  'policies/pick.policy.ts': `import { inBucket, param, route, rule, use } from '@signalbox/policies'
const share = param.ppm('share', { default: 500_000 })
export default route('pick', { rules: [
  rule('polish', { when: (f) => f.request.metadata.feature === 'polish', then: () => use('smart') }),
  rule('split', { when: (f) => inBucket(f, { rollout: 'mini', ppm: share() }), then: () => use('openai/gpt-5-mini') }),
] })
`,
}

/** Builds a workspace as a version that decides calls. */
export async function buildTraffic(
  files: Readonly<Record<string, string>> = trafficFiles,
  number = 1,
): Promise<
  ExplainedVersion & { readonly script: string; readonly engine: string; readonly catalogue: string }
> {
  const { problems, version } = await buildVersion(new Map(Object.entries(files)), {
    catalogue: loadCatalogue(),
    typeCheck: false,
  })
  const errors = problems.filter(({ severity }) => severity === 'error')
  if (version === null || errors.length > 0) throw new Error(JSON.stringify(errors))
  const { digest, script, compiled, manifest } = version
  return {
    ...{ digest, script, compiled, number, nodePath: [] },
    engine: manifest.engine.sandbox,
    catalogue: manifest.catalogue,
  }
}
export type TrafficVersion = Awaited<ReturnType<typeof buildTraffic>>

/** What the control plane keeps of a version and its release. */
export function trafficLibrary(versions: readonly TrafficVersion[], params: ParamValues = {}): ReplayLibrary {
  const builds = new Map(
    versions.map(
      ({ digest, number = 1, engine, catalogue: pinned, compiled, script }): [string, VersionBuild] => [
        digest,
        { version: number, digest, engine, catalogue: pinned, compiled, script },
      ],
    ),
  )
  const release = (
    { digest, engine, catalogue: pinned }: TrafficVersion,
    sequence: number,
  ): ReleaseContext => ({
    ...{ sequence, engine, catalogue: pinned },
    workspaces: [{ name: 'acme', nodePath: [], stable: digest, candidate: null }],
    params: params as ReleaseContext['params'],
  })
  return {
    async release({ sequence }) {
      const version = versions[sequence - 1]
      return version === undefined ? undefined : release(version, sequence)
    },
    build: async (digest) => builds.get(digest),
    catalogue: async () => undefined,
  }
}

function idOf(index: number): string {
  const time = (trafficStartMs + index * stepMs).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${index.toString(16).padStart(12, '0')}`
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]))
}

/** Makes records of calls as a gateway does: decided by a version, with facts that differ from call to call. */
export class RecordedTraffic {
  readonly version: TrafficVersion
  readonly #engine: Engine
  readonly #program
  readonly #columns

  private constructor(engine: Engine, version: TrafficVersion) {
    this.version = version
    this.#engine = engine
    this.#program = engine.load([version], { environment })
    const names = namesOfVersions([version], environment)
    const { compiled } = version
    this.#columns = (target: string) => columnsOf(target, { compiled, names, catalogue })
  }

  static async start(version: TrafficVersion): Promise<RecordedTraffic> {
    return new RecordedTraffic(await createEngine(), version)
  }

  dispose(): void {
    this.#engine.dispose()
  }

  #facts(index: number, over: PartialFacts): Facts {
    const health = { state: 'up', errorPpm: 0 } as const
    const asked = ['anthropic/claude-opus-4-8', 'openai/gpt-5.5']
    const targets = [...new Set([...asked, ...this.#program.candidates])]
    const timeMs = trafficStartMs + index * stepMs
    const { request, ...others } = over
    const facts = baseFacts({
      ...{ nowMs: timeMs, seed: (index * 2_654_435_761) >>> 0 },
      models: targets.map((target) => ({ health, lossless: true, target })),
      subject: {
        stickyKey: `user-${index % 997}`,
        userId: `user-${index % 997}`,
        team: { id: idOf(0), name: `team-${index % 5}` },
      },
      ...others,
      request: {
        id: idOf(index),
        model: { requested: 'smart', alias: 'smart', targets: asked, tier: 'large' },
        metadata: {
          feature: features[index % features.length] ?? '',
          tier: index % 3 === 0 ? 'free' : 'paid',
        },
        estimate: { inputTokens: 100 + ((index * 37) % 1500), outputTokens: 1024, maxCostNanoUsd: 1_000_000 },
        bytes: 400 + ((index * 151) % 6000),
        ...request,
      },
    })
    return sorted(facts) as Facts
  }

  /** One recorded call; the same index gives the same. */
  record(index: number, over: PartialFacts = {}, params: ParamValues = {}): CallRecord {
    const facts = this.#facts(index, over)
    const models = facts.models.map(({ target }) => this.#columns(target))
    const evaluation = this.#program.evaluate({ facts, params, models })
    const { decision, policies, fuel, evaluationUs, decisionDigest, failure } = evaluation
    const { row, body } = callRecord({ sequence: index + 1 })
    const isAllowed = decision.effect === 'allow' && failure === undefined
    const selection = { seed: facts.seed, order: [], skipped: [] }
    const order = isAllowed ? (replaySelection(decision, facts, selection)?.replayed ?? []) : []
    const [target] = order
    const { policy, rule } = decisiveRule(evaluation)
    const { target: _, policy: __, rule: ___, costNanoUsd, ...rest } = row
    return {
      row: {
        ...rest,
        id: facts.request.id,
        ...{ environment, timeMs: facts.nowMs, modelRequested: facts.request.model.requested },
        ...(target !== undefined && { target, ...(costNanoUsd !== undefined && { costNanoUsd }) }),
        ...(policy !== undefined && { policy }),
        ...(rule !== undefined && { rule }),
        effect: failure === undefined ? decision.effect : 'error',
        status: isAllowed ? 200 : (decision.reasons[0]?.http ?? 403),
        attempts: isAllowed ? 1 : 0,
        durationMs: 300 + ((index * 61) % 900),
        usage: isAllowed ? { input: 300 + (index % 100), output: 120 + (index % 50) } : {},
        evidence: isAllowed ? 'reported' : 'none',
        metadata: facts.request.metadata,
        factsDigest: digestOf(JSON.stringify(facts)),
        ...{ decisionDigest, versionDigest: this.version.digest, version: this.version.number ?? 1 },
        ...{ releaseSequence: this.version.number ?? 1, stateSequence: 1 },
      },
      body: {
        ...body,
        ...{ factsClass: 'full', facts, params, decision, policies, fuel, evaluationUs },
        ...(isAllowed && { selection: { ...selection, order: [...order] } }),
        attempts: isAllowed ? body.attempts : [],
      },
    }
  }

  /** NDJSON of so many calls, in pieces of some hundred KiB. */
  async *lines(count: number, change: (record: CallRecord, index: number) => CallRecord = (each) => each) {
    let piece: string[] = []
    for (let index = 0; index < count; index++) {
      piece.push(`${JSON.stringify(change(this.record(index), index))}\n`)
      if (piece.length < 128 && index < count - 1) continue
      yield Buffer.from(piece.join(''), 'utf8')
      piece = []
    }
  }
}
