import type { CompiledWorkspace, Facts } from '@signalbox/sdk/contract'
import { type Answer, askLayer } from './evaluation/ask-layer.ts'
import { CheckedDecisions } from './evaluation/checked-decisions.ts'
import { combine } from './evaluation/combine.ts'
import { type Layer, type LayerPolicy, loadLayer, questionOf } from './evaluation/layer.ts'
import { LayerPath } from './evaluation/layer-path.ts'
import { readAnswer } from './evaluation/outcomes.ts'
import { resultsOf } from './evaluation/policy-results.ts'
import { screenWith } from './evaluation/screen.ts'
import type {
  Engine,
  EngineLimits,
  Evaluation,
  EvaluationInput,
  GuardrailEvaluation,
  GuardrailFacts,
  LoadedWorkspace,
  Program,
} from './program.ts'
import { createSandbox, type Sandbox } from './sandbox/index.ts'

const candidatesMax = 64
/** Different paths of layers that are kept; a tree with more works, and resolves names anew in each call. */
const pathsMax = 256

/** Targets that aliases and policies can name in an environment. */
function candidatesOf(workspaces: readonly CompiledWorkspace[], environment: string): string[] {
  const named = workspaces.flatMap(({ models, environments, targets }) => {
    const aliases = { ...models, ...environments[environment]?.models }
    return [...Object.values(aliases).flat(), ...targets]
  })
  return [...new Set(named)].slice(0, candidatesMax)
}

class SandboxProgram implements Program {
  readonly environment: string
  readonly workspaces: readonly string[]
  readonly candidates: readonly string[]
  readonly #layers: readonly Layer[]
  readonly #all: readonly number[]
  readonly #paths = new Map<string, LayerPath>()
  readonly #decisions = new CheckedDecisions()

  constructor(sandbox: Sandbox, workspaces: readonly LoadedWorkspace[], environment: string) {
    const compiled = workspaces.map((workspace) => workspace.compiled)
    this.environment = environment
    this.workspaces = compiled.map(({ name }) => name)
    this.candidates = candidatesOf(compiled, environment)
    this.#layers = workspaces.map((workspace) => loadLayer(sandbox, workspace, environment))
    this.#all = workspaces.map((_, index) => index)
  }

  #path(layers: readonly number[]): LayerPath {
    const key = layers.join()
    const known = this.#paths.get(key)
    if (known !== undefined) return known
    const names = this.#layers.map((layer) => layer.names)
    const path = new LayerPath(layers, names)
    if (this.#paths.size < pathsMax) this.#paths.set(key, path)
    return path
  }

  evaluate(input: EvaluationInput): Evaluation {
    const startMs = performance.now()
    const { facts } = input
    const path = this.#path(input.layers ?? this.#all)
    const { constraints, routes, fuel } = this.#ask(path, input)
    const said = { constraints: constraints.map(readAnswer), routes: routes.map(readAnswer) }
    const { combined, digest } = this.#decisions.check(combine(said, facts, path))
    const { decision, failure, routeFailure } = combined
    const layers = path.layers.flatMap((index) => this.#layers[index] ?? [])
    return {
      decision,
      policies: resultsOf(said, { layers, facts, routeFailure }),
      fuel,
      evaluationUs: Math.round((performance.now() - startMs) * 1000),
      decisionDigest: digest,
      ...(failure !== undefined && { failure }),
    }
  }

  /** Asks the layers, most specific first, since a route of a more specific one ends the asking of routes. */
  #ask(path: LayerPath, input: EvaluationInput) {
    const constraints: Answer[] = []
    const routes: Answer[] = []
    let fuel = 0
    let chosen = false
    for (const index of [...path.layers].reverse()) {
      const layer = this.#layers[index]
      if (layer === undefined) throw new RangeError(`there is no layer ${index}`)
      const asked = {
        constraints: applicable(layer, layer.constraints, input.facts),
        routes: chosen ? [] : applicable(layer, layer.routes, input.facts),
      }
      if (asked.constraints.length + asked.routes.length === 0) continue
      const said = askLayer(layer, questionOf(layer, input), asked)
      fuel += said.fuel
      constraints.unshift(...said.answers.filter(({ policy }) => policy.kind === 'constraint'))
      routes.push(...said.answers.filter(({ policy }) => policy.kind === 'route'))
      chosen = chosen || said.choiceMade
    }
    return { constraints, routes, fuel }
  }

  screen(input: { layer: number; guardrail: string; facts: GuardrailFacts }): GuardrailEvaluation {
    const layer = this.#layers[input.layer]
    const guardrail = layer?.guardrails.find(({ id }) => id === input.guardrail)
    if (layer === undefined || guardrail === undefined) {
      throw new RangeError(`there is no guardrail "${input.guardrail}" in layer ${input.layer}`)
    }
    return screenWith(layer, guardrail, input.facts)
  }

  dispose(): void {
    this.#paths.clear()
  }
}

function applicable(layer: Layer, policies: readonly LayerPolicy[], facts: Facts): readonly LayerPolicy[] {
  return layer.hasMatches ? policies.filter((policy) => policy.appliesTo(facts)) : policies
}

/** The engine over a sandbox that somebody else started and disposes of. */
export function engineOn(sandbox: Sandbox): Engine {
  return {
    digest: `sha256:${sandbox.engineDigest}`,
    load: (workspaces, { environment }) => new SandboxProgram(sandbox, workspaces, environment),
    dispose: () => {},
  }
}

/**
 * Starts the engine: one sandbox, in this thread, that holds the images of all programs.
 * Throws where the engine cannot run here as it was built.
 */
export async function createEngine(limits: Partial<EngineLimits> = {}): Promise<Engine> {
  const sandbox = await createSandbox(limits)
  return { ...engineOn(sandbox), dispose: () => sandbox.dispose() }
}
