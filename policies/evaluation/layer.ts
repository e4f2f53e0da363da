import type { CompiledPolicy, Effect, Facts, OnError, PolicyKind } from '@signalbox/sdk/contract'
import type { EvaluationInput, LoadedWorkspace, ModelColumns, ParamValues } from '../program.ts'
import type { Description } from '../runtime/wire.ts'
import type { Sandbox, SandboxImage } from '../sandbox/index.ts'
import { baseFacts } from './base-facts.ts'
import { type NameScope, namesOf } from './layer-path.ts'
import { compileMatch } from './matches.ts'
import { compileParams } from './param-values.ts'
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
  appliesTo(facts: Facts): boolean
}
export interface LayerGuardrail {
  readonly id: string
  readonly direction: 'input' | 'output'
  readonly index: number
  readonly action: unknown
}

/** A workspace loaded into the sandbox for one environment. */
export interface Layer {
  readonly workspace: string
  readonly names: NameScope
  readonly image: SandboxImage
  readonly constraints: readonly LayerPolicy[]
  readonly routes: readonly LayerPolicy[]
  readonly guardrails: readonly LayerGuardrail[]
  /** Some policy is not asked about every call. */
  readonly hasMatches: boolean
  project(facts: Facts, models: readonly ModelColumns[]): string
  params(values: ParamValues): string
}

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
  const match = compileMatch(compiled.match)
  return {
    ...shared,
    id: compiled.id,
    kind: compiled.kind,
    file: compiled.file,
    rules,
    onError,
    safeRoute,
    silentTrace: '-'.repeat(compiled.rules.flatMap((rule) => rule.conditions).length),
    appliesTo: match ?? (() => true),
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

/** The question of one evaluation, in JSON. Indexes are those of the script. */
export function questionOf(
  layer: Layer,
  input: Pick<EvaluationInput, 'facts' | 'models' | 'params'>,
): (constraints: readonly number[], routes: readonly number[]) => string {
  const facts = layer.project(input.facts, input.models)
  const params = layer.params(input.params)
  return (constraints, routes) => `{"f":${facts},"p":${params},"c":[${constraints}],"r":[${routes}]}`
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
    hasMatches: compiled.policies.some((policy) => policy.match !== undefined),
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
  const ask = questionOf(layer, { facts, models: [], params: {} })
  const indexes = (policies: readonly LayerPolicy[]) => policies.map(({ index }) => index)
  const question = ask(indexes(layer.constraints), indexes(layer.routes))
  try {
    layer.image.call(question)
  } catch {
    return layer.image
  }
  return load([question])
}
