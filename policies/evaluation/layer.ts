import {
  type CompiledGuardrail,
  type CompiledPolicy,
  type Effect,
  executableFeatures,
  type Facts,
  type OnError,
  type PlanFeature,
  type PolicyKind,
  type PolicyMatch,
} from '@signalbox/sdk/contract'
import type { InspectionInput, LoadedWorkspace, ModelColumns, ParamValues } from '../program.ts'
import type { Description } from '../runtime/wire.ts'
import type { ImageParts, Sandbox, SandboxImage } from '../sandbox/sandbox.ts'
import type { LayerAnswers, LayerSaid } from './ask-layer.ts'
import { baseFacts } from './base-facts.ts'
import { readsOfMatch } from './cut-facts.ts'
import { type NameScope, namesOf } from './layer-path.ts'
import { Memo } from './memo.ts'
import { compileParams } from './param-values.ts'
import { PolicyIndex, tailOf } from './policy-index.ts'
import { compileProjection } from './project-facts.ts'

/** A rule as the combination needs it. */
export interface LayerRule {
  readonly id: string
  /** What it always says; null where the sandbox has to be asked. */
  readonly effects: readonly Effect[] | null
  readonly onError: OnError | undefined
  readonly line: number
  /** Facts that it reads, those of its policy's match among them. */
  readonly reads: readonly string[]
  /** Characters it takes in the trace. */
  readonly conditions: number
}
export interface LayerPolicy {
  readonly id: string
  readonly kind: PolicyKind
  readonly workspace: string
  readonly file: string
  /** Its index in the script. */
  readonly index: number
  readonly rules: readonly LayerRule[]
  readonly onError: OnError | undefined
  /** Alias or target that a failing route goes to: its own, else the workspace's. */
  readonly safeRoute: string | undefined
  readonly names: NameScope
  readonly guardrails: ReadonlySet<string>
  /** What its plans may ask of the gateway. */
  readonly features: readonly PlanFeature[]
  /** The trace of a policy that was not asked. */
  readonly silentTrace: string
  /** Which calls it is asked about; all where there is none. */
  readonly match: PolicyMatch | undefined
}
export interface LayerGuardrail {
  readonly id: string
  readonly direction: 'input' | 'output'
  readonly index: number
  readonly rules: readonly GuardrailRule[]
  /** It looks at failed detectors itself. */
  readonly seesErrors: boolean
}
/** A rule of a guardrail: what it always says, null where the sandbox has to be asked. */
export interface GuardrailRule {
  readonly id: string
  readonly says: readonly unknown[] | null
  readonly onError: unknown
  /** `onError` is its own, not that of the guardrail. */
  readonly ownOnError: boolean
}

/** Answers of a layer that need not be worked out again. */
export interface KnownAnswers {
  /** By question. */
  readonly answers: Memo<LayerAnswers>
  /** By the words of the answer. */
  readonly said: Memo<LayerSaid>
  /** Answers that were read so far: their ids. */
  count: number
}

/** A workspace loaded into the sandbox for one environment. */
export interface Layer {
  readonly workspace: string
  readonly names: NameScope
  readonly image: SandboxImage
  readonly constraints: readonly LayerPolicy[]
  readonly routes: readonly LayerPolicy[]
  readonly guardrails: readonly LayerGuardrail[]
  readonly known: KnownAnswers
  /** Finds the policies that a call is about. */
  readonly index: PolicyIndex<LayerPolicy>
  project(facts: Facts, models: readonly ModelColumns[]): string
  params(values: ParamValues): string
}

/** Of the answers that a layer keeps. */
export const knownAnswersLimits = { entriesMax: 2048, charactersMax: 500_000 }

/** Texts that the sandbox is warmed up with, so that the first real call finds its caches full. */
const describeQuestion = JSON.stringify({ describe: true })
/** Of asking a script what it holds: that is as long as there are policies, and asked once. */
export const describeLimits = { fuelMax: 100_000_000, outputBytesMax: 1_000_000 }
const scriptName = 'policies.js'

/** A script that is not the one its compiled form tells of. */
function refuse(workspace: string, what: string): never {
  throw new Error(`the script of workspace "${workspace}" is not the one that was compiled: ${what}`)
}

function policyOf(
  compiled: CompiledPolicy,
  described: Description['definitions'][number],
  shared: Pick<LayerPolicy, 'workspace' | 'index' | 'names' | 'guardrails' | 'features'> & {
    safeRoute: string | undefined
  },
): LayerPolicy {
  const { onError, safeRoute = shared.safeRoute } = (described.options ?? {}) as {
    onError?: OnError
    safeRoute?: string
  }
  const matchReads = readsOfMatch(compiled.match)
  const rules = compiled.rules.map((rule, index): LayerRule => {
    const known = described.rules?.[index]
    if (known?.id !== rule.id) refuse(shared.workspace, `policy "${compiled.id}" has other rules`)
    // Checked by the compiler, and the script's digest is that of the version it built.
    const effects = known.effects as readonly Effect[] | null
    const reads = [...(rule.reads ?? compiled.reads), ...matchReads]
    const ruleOnError = known.options.onError as OnError | undefined
    return {
      id: rule.id,
      effects,
      onError: ruleOnError,
      line: rule.line,
      reads,
      conditions: rule.conditions.length,
    }
  })
  return {
    ...shared,
    id: compiled.id,
    kind: compiled.kind,
    file: compiled.file,
    rules,
    onError,
    safeRoute,
    silentTrace: '-'.repeat(compiled.rules.flatMap((rule) => rule.conditions).length),
    match: compiled.match,
  }
}

function guardrailOf(
  { id, direction, reads = ['*'] }: CompiledGuardrail,
  described: Description['definitions'][number],
  index: number,
): LayerGuardrail {
  const own: unknown = Object(described.options).onError
  const seesErrors = reads.some((path) => path === '*' || path.startsWith('detectorErrors'))
  // A guardrail that is a rule itself has one `onError`.
  const isRule = described.functions?.includes('then') === true
  const { rules = [{ id, effects: [described.action], options: {} }] } = described
  const known = rules.map((rule): GuardrailRule => {
    const ofRule: unknown = Object(rule?.options).onError
    return {
      id: String(rule?.id),
      says: rule?.effects ?? null,
      onError: ofRule ?? own,
      ownOnError: ofRule !== undefined && !isRule,
    }
  })
  return { id, direction, index, rules: known, seesErrors }
}

/** Policies and guardrails of a script, with what the compiler knows of them. */
function definitionsOf(
  workspace: LoadedWorkspace,
  text: string,
  of: { names: NameScope; features: readonly PlanFeature[] },
) {
  const { names, features } = of
  const { compiled } = workspace
  const description: Description = JSON.parse(text)
  const byId = new Map(compiled.policies.map((policy) => [policy.id, policy]))
  const guardrails = new Map(compiled.guardrails.map((guardrail) => [guardrail.id, guardrail]))
  const known: ReadonlySet<string> = new Set(guardrails.keys())
  const policies: LayerPolicy[] = []
  const screens: LayerGuardrail[] = []
  for (const [index, described] of description.definitions.entries()) {
    const id = String(described.id)
    const guardrail = described.kind === 'guardrail' ? guardrails.get(id) : undefined
    const policy = described.kind === 'guardrail' ? undefined : byId.get(id)
    if (guardrail !== undefined) {
      screens.push(guardrailOf(guardrail, described, index))
    } else if (policy?.kind === described.kind && policy !== undefined) {
      const shared = { workspace: compiled.name, index, names, guardrails: known, features }
      policies.push(policyOf(policy, described, { ...shared, safeRoute: compiled.safeRoute }))
    } else refuse(compiled.name, `there is no ${String(described.kind)} "${id}"`)
  }
  if (policies.length !== byId.size) refuse(compiled.name, 'policies are missing')
  return { policies, guardrails: screens }
}

/**
 * The question of one evaluation, in JSON and without its end, which says what policies are asked (`Asked.tail`).
 * Together with that it names all that the answer depends on.
 */
export function questionOf(
  layer: Pick<Layer, 'project' | 'params' | 'constraints' | 'routes'>,
  input: Pick<InspectionInput, 'facts' | 'models' | 'params' | 'breaks'>,
): string {
  const breaks = input.breaks === undefined ? '' : breaksOf(layer, input.breaks)
  return `{"f":${layer.project(input.facts, input.models)},"p":${layer.params(input.params)},${breaks}`
}

/** Where a workspace is to decide, and what the plans of its policies may ask for there. */
export interface LoadScope {
  readonly environment: string
  /** What the gateway of this release can carry out if left out. */
  readonly features?: readonly PlanFeature[]
}

/** Rules that are to throw, by their indexes; nothing where they are not of this layer. */
function breaksOf(
  layer: Pick<Layer, 'constraints' | 'routes'>,
  breaks: NonNullable<InspectionInput['breaks']>,
): string {
  const policy = [...layer.constraints, ...layer.routes].find(({ id }) => id === breaks.policy)
  if (policy === undefined) return ''
  const rules = policy.rules.flatMap(({ id }, index) => (breaks.rules.includes(id) ? [index] : []))
  return `"t":${JSON.stringify([policy.index, rules])},`
}

/** A workspace's script, loaded and tried out: what costs time, as data that can go from one thread to another. */
export interface PreparedLayer {
  /** What the script says that it holds. */
  readonly description: string
  readonly image: ImageParts
}

/** Loads a script. Throws SandboxError where it does not load, Error where it is another one than was compiled. */
export function prepareLayer(
  sandbox: Sandbox,
  workspace: LoadedWorkspace,
  environment: string,
): PreparedLayer {
  const load = (warmUp: readonly string[]) => sandbox.load(workspace.script, { fileName: scriptName, warmUp })
  const draft = load([describeQuestion])
  const description = draft.call(describeQuestion, describeLimits).output
  const layer = layerOf(sandbox, workspace, { environment, prepared: { description, image: draft.parts } })
  return { description, image: warmUpImage(layer, load, environment).parts }
}

/** The layer of a loaded script. Throws Error where it is another one than was compiled. */
export function layerOf(
  sandbox: Sandbox,
  workspace: LoadedWorkspace,
  scope: LoadScope & { prepared: PreparedLayer },
): Layer {
  const { environment, prepared, features = executableFeatures } = scope
  const { compiled } = workspace
  const names = namesOf(compiled, environment)
  const { policies, guardrails } = definitionsOf(workspace, prepared.description, { names, features })
  return {
    workspace: compiled.name,
    names,
    image: sandbox.adopt(prepared.image, { fileName: scriptName }),
    constraints: policies.filter((policy) => policy.kind === 'constraint'),
    routes: policies.filter((policy) => policy.kind === 'route'),
    guardrails,
    known: { answers: new Memo(knownAnswersLimits), said: new Memo(knownAnswersLimits), count: 0 },
    index: new PolicyIndex(policies),
    project: compileProjection(compiled.reads),
    params: compileParams(compiled, environment),
  }
}

/** The image after one evaluation, with QuickJS's caches full; the cold one where that evaluation does not end. */
function warmUpImage(
  layer: Layer,
  load: (warmUp: readonly string[]) => SandboxImage,
  environment: string,
): SandboxImage {
  const facts = baseFacts({ environment: { name: environment, region: '' } })
  const question =
    questionOf(layer, { facts, models: [], params: {} }) + tailOf(layer.constraints, layer.routes)
  try {
    layer.image.call(question)
  } catch {
    return layer.image
  }
  return load([question])
}
