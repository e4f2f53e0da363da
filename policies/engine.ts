import type { CompiledWorkspace } from '@signalbox/sdk/contract'
import { askLayer } from './evaluation/ask-layer.ts'
import { DecisionMaker, type LayerTurn } from './evaluation/decision-maker.ts'
import {
  type Layer,
  type LayerGuardrail,
  type LayerPolicy,
  type LoadScope,
  layerOf,
  type PreparedLayer,
  prepareLayer,
  questionOf,
} from './evaluation/layer.ts'
import { LayerPath } from './evaluation/layer-path.ts'
import { type Selection, unkeptSelection } from './evaluation/policy-index.ts'
import { screenWith } from './evaluation/screen.ts'
import { withoutPolicies } from './evaluation/switched-layer.ts'
import type {
  Engine,
  Evaluation,
  EvaluationInput,
  GuardrailEvaluation,
  InspectedEvaluation,
  InspectionInput,
  LoadedProgram,
  LoadedWorkspace,
  Program,
  ScreenInput,
  SwitchedOff,
} from './program.ts'
import type { Sandbox } from './sandbox/sandbox.ts'

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

class SandboxProgram implements LoadedProgram {
  readonly #loaded: readonly LoadedWorkspace[]
  readonly environment: string
  readonly workspaces: readonly string[]
  readonly candidates: readonly string[]
  readonly policies: readonly LayerPolicy[]
  readonly guardrails: readonly LayerGuardrail[]
  readonly #layers: readonly Layer[]
  readonly #all: readonly number[]
  readonly #paths = new Map<string, LayerPath>()
  readonly #decisions = new DecisionMaker()

  constructor(workspaces: readonly LoadedWorkspace[], layers: readonly Layer[], environment: string) {
    const compiled = workspaces.map((workspace) => workspace.compiled)
    this.#loaded = workspaces
    this.environment = environment
    this.workspaces = compiled.map(({ name }) => name)
    this.candidates = candidatesOf(compiled, environment)
    this.#layers = layers
    this.policies = layers.flatMap(({ constraints, routes }) => [...constraints, ...routes])
    this.guardrails = layers.flatMap(({ guardrails }) => guardrails)
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
    const path = this.#path(input.layers ?? this.#all)
    const { turns, fuel } = this.#ask(path, input)
    const decided = this.#decisions.decide(turns, input.facts, path)
    return { ...decided, fuel, evaluationUs: Math.round((performance.now() - startMs) * 1000) }
  }

  /** Asks the layers, most specific first, since a route of a more specific one ends the asking of routes. */
  #ask(path: LayerPath, input: InspectionInput): { turns: LayerTurn[]; fuel: number } {
    const turns: LayerTurn[] = []
    let fuel = 0
    let chosen = false
    for (let at = path.layers.length - 1; at >= 0; at--) {
      const index = path.layers[at] ?? -1
      const layer = this.#layers[index]
      if (layer === undefined) throw new RangeError(`there is no layer ${index}`)
      const selection = selectFrom(layer, input)
      const asked = chosen ? selection.constraints : selection.all
      if (asked.constraints.length + asked.routes.length === 0) {
        turns.push({ index, layer, selection, said: undefined })
        continue
      }
      const answers = askLayer(layer, questionOf(layer, input), asked, input.facts)
      fuel += answers.fuel
      turns.push({ index, layer, selection, said: answers.said })
      chosen = chosen || answers.said.choiceMade
    }
    return { turns, fuel }
  }

  inspect(input: InspectionInput): InspectedEvaluation {
    const startMs = performance.now()
    const path = this.#path(input.layers ?? this.#all)
    const { turns, fuel } = this.#ask(path, input)
    const constraints = turns.toReversed().flatMap(({ said }) => said?.constraints ?? [])
    const routes = turns.flatMap(({ said }) => said?.routes ?? [])
    return {
      ...this.#decisions.decide(turns, input.facts, path),
      outcomes: [...constraints, ...routes],
      fuel,
      evaluationUs: Math.round((performance.now() - startMs) * 1000),
    }
  }

  screen(input: ScreenInput): GuardrailEvaluation {
    const layer = this.#layers[input.layer]
    const guardrail = layer?.guardrails.find(({ id }) => id === input.guardrail)
    if (layer === undefined || guardrail === undefined) {
      throw new RangeError(`there is no guardrail "${input.guardrail}" in layer ${input.layer}`)
    }
    return screenWith(layer, guardrail, input)
  }

  view(workspaces: readonly number[], without: readonly SwitchedOff[] = []): Program {
    const chosen = workspaces.flatMap((index) => this.#loaded[index] ?? [])
    const layers = workspaces.flatMap((index) => {
      const layer = this.#layers[index]
      return layer === undefined ? [] : [withoutPolicies(layer, without)]
    })
    return new SandboxProgram(chosen, layers, this.environment)
  }

  dispose(): void {
    this.#paths.clear()
  }
}

/** The policies of a layer that are to be asked. What a test asks for is put together for it alone. */
function selectFrom({ index }: Layer, { facts, only, breaks }: InspectionInput): Selection<LayerPolicy> {
  const selection = index.select(facts)
  if (only === undefined && breaks === undefined) return selection
  const isAsked = ({ id }: LayerPolicy): boolean => only === undefined || id === only
  return unkeptSelection([...selection.all.constraints, ...selection.all.routes].filter(isAsked))
}

/** How a thread that has other things to do loads workspaces. */
export interface Apart {
  /** Prepares workspaces elsewhere than in this thread. */
  prepare(workspaces: readonly LoadedWorkspace[], environment: string): Promise<readonly PreparedLayer[]>
  /** Ends once other work of this thread had its turn. */
  giveWay(): Promise<void>
}

/**
 * The engine over a sandbox that somebody else started and disposes of. Without `apart` scripts are loaded in this
 * thread.
 */
export function engineOn(sandbox: Sandbox, apart?: Apart): Engine {
  const makeLayer = (
    workspace: LoadedWorkspace,
    scope: LoadScope,
    known: PreparedLayer | undefined,
  ): Layer => {
    const prepared = known ?? prepareLayer(sandbox, workspace, scope.environment)
    return layerOf(sandbox, workspace, { ...scope, prepared })
  }
  return {
    digest: `sha256:${sandbox.engineDigest}`,
    load(workspaces, scope) {
      const layers = workspaces.map((workspace) => makeLayer(workspace, scope, undefined))
      return new SandboxProgram(workspaces, layers, scope.environment)
    },
    async loadApart(workspaces, scope) {
      const prepared = await apart?.prepare(workspaces, scope.environment)
      const layers: Layer[] = []
      for (const [index, workspace] of workspaces.entries()) {
        // Other work of this thread gets its turn between one workspace and the next.
        await apart?.giveWay()
        layers.push(makeLayer(workspace, scope, prepared?.[index]))
      }
      await apart?.giveWay()
      return new SandboxProgram(workspaces, layers, scope.environment)
    },
    dispose: () => {},
  }
}
