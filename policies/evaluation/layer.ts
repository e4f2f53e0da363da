import type { CompiledPolicy, Effect, Facts, OnError, PolicyKind, PolicyMatch } from '@signalbox/sdk/contract'
import type { EvaluationInput, LoadedWorkspace, ModelColumns, ParamValues } from '../program.ts'
import type { Description } from '../runtime/wire.ts'
import type { Sandbox, SandboxImage } from '../sandbox/index.ts'
import type { LayerAnswers, LayerSaid } from './ask-layer.ts'
import { baseFacts } from './base-facts.ts'
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
  /** The trace of a policy that was not asked. */
  readonly silentTrace: string
  /** Which calls it is asked about; all where there is none. */
  readonly match: PolicyMatch | undefined
}
export interface LayerGuardrail {
  readonly id: string
  readonly direction: 'input' | 'output'
  readonly index: number
  readonly action: unknown
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
const knownAnswersLimits = { entriesMax: 2048, charactersMax: 500_000 }

/** Texts that the sandbox is warmed up with, so that the first real call finds its caches full. */
const describeQuestion = JSON.stringify({ describe: true })

/** A script that is not the one its compiled form tells of. */
function refuse(workspace: string, what: string): never {
  throw new Error(`the script of workspace "${workspace}" is not the one that was compiled: ${what}`)
}

function policyOf(
  compiled: CompiledPolicy,
  described: Description['definitions'][number],
  shared: Pick<LayerPolicy, 'workspace' | 'index' | 'names' | 'guardrails'> & {
    safeRoute: string | undefined
  },
): LayerPolicy {
  const { onError, safeRoute = shared.safeRoute } = (described.options ?? {}) as {
    onError?: OnError
    safeRoute?: string
  }
  const rules = compiled.rules.map((rule, index): LayerRule => {
    const known = described.rules?.[index]
    if (known?.id !== rule.id) refuse(shared.workspace, `policy "${compiled.id}" has other rules`)
    // Checked by the compiler, and the script's digest is that of the version it built.
    const effects = known.effects as readonly Effect[] | null
    return { id: rule.id, effects, onError: known.options.onError as OnError | undefined, line: rule.line }
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

/** Policies and guardrails of a script, with what the compiler knows of them. */
function definitionsOf(workspace: LoadedWorkspace, image: SandboxImage, names: NameScope) {
  const { compiled } = workspace
  const description: Description = JSON.parse(image.call(describeQuestion).output)
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
      screens.push({ id, direction: guardrail.direction, index, action: described.action })
    } else if (policy?.kind === described.kind && policy !== undefined) {
      const shared = { workspace: compiled.name, index, names, guardrails: known }
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
  layer: Pick<Layer, 'project' | 'params'>,
  input: Pick<EvaluationInput, 'facts' | 'models' | 'params'>,
): string {
  return `{"f":${layer.project(input.facts, input.models)},"p":${layer.params(input.params)},`
}

/** Loads a workspace. Throws SandboxError where its script does not load, Error where it is another one. */
export function loadLayer(sandbox: Sandbox, workspace: LoadedWorkspace, environment: string): Layer {
  const { compiled, script } = workspace
  const names = namesOf(compiled, environment)
  const load = (warmUp: readonly string[]) => sandbox.load(script, { fileName: 'policies.js', warmUp })
  const draft = load([describeQuestion])
  const { policies, guardrails } = definitionsOf(workspace, draft, names)
  const layer: Layer = {
    workspace: compiled.name,
    names,
    image: draft,
    constraints: policies.filter((policy) => policy.kind === 'constraint'),
    routes: policies.filter((policy) => policy.kind === 'route'),
    guardrails,
    known: { answers: new Memo(knownAnswersLimits), said: new Memo(knownAnswersLimits), count: 0 },
    index: new PolicyIndex(policies),
    project: compileProjection(compiled.reads),
    params: compileParams(compiled, environment),
  }
  return { ...layer, image: warmUpImage(layer, load, environment) }
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
