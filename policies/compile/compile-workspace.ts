import type { CompiledWorkspace, WorkspaceFile } from '@signalbox/sdk/contract'
import type { CatalogueIndex } from '../catalogue/index-catalogue.ts'
import { LayerPath, namesOf } from '../evaluation/layer-path.ts'
import { fitsParam, paramsOf } from '../evaluation/param-values.ts'
import { orderedTargets } from '../evaluation/plan-tree.ts'
import type { Sandbox } from '../sandbox/index.ts'
import { type AnalysisReport, analyse } from './analysis/analyse.ts'
import { sandboxGlobals } from './analysis/sandbox-globals.ts'
import { reportUnknownProviders } from './analysis/unknown-targets.ts'
import type { RuleAtoms } from './build-vectors.ts'
import type { SourceFiles } from './built-version.ts'
import type { Bundle } from './bundle.ts'
import { checkPacks } from './check-packs.ts'
import { WorkspaceModules } from './compile-modules.ts'
import { type CompiledDefinitions, compileDefinitions } from './compiled-policies.ts'
import { drillPlanOf } from './declared-drills.ts'
import { guardrailNameFindings } from './guardrail-running.ts'
import { compilePrompts, type LinkedPrompt } from './link-prompts.ts'
import { loadDefinitions } from './load-script.ts'
import { didYouMean } from './near-name.ts'
import { offendingPlace } from './offending-place.ts'
import type { ProblemList } from './problem-list.ts'
import type { PromptNames } from './prompt-names.ts'
import { checkRuleReferences } from './rule-references.ts'
import { startOfFile } from './text-position.ts'
import { warnOfRetiringTargets, warnOfUnpricedTargets } from './unpriced-targets.ts'
import { type ReadWorkspaceFile, readWorkspaceFile } from './workspace-file.ts'
import { checkModelName, namesOfWorkspace, type WorkspaceNames } from './workspace-names.ts'

const targetsMax = 64

export interface CompiledSources {
  readonly compiled: CompiledWorkspace
  readonly bundle: Bundle
  /** Conditions that are data, by rule. */
  readonly rules: readonly RuleAtoms[]
  readonly analysis: AnalysisReport
}

/** Uses of what the sandbox lacks, told before the code runs there. */
function lintModules({ graph, modules }: WorkspaceModules, problems: ProblemList): void {
  for (const file of modules.keys()) {
    const scope = /\.(ts|js)$/.test(file) ? graph.scope(file) : undefined
    for (const { file: at, position, ...finding } of scope ? sandboxGlobals(scope) : []) {
      if (!problems.has(at, position.line, finding.code)) problems.add(at, position, finding)
    }
  }
}

/** Models that prompts hint at are models of the workspace. */
function checkPromptModels(
  prompts: readonly LinkedPrompt[],
  names: WorkspaceNames,
  problems: ProblemList,
): void {
  for (const { compiled, document } of prompts) {
    const finding = compiled.model === undefined ? undefined : checkModelName(compiled.model, names)
    if (finding !== undefined) document.report(problems, ['model'], finding)
  }
}

/** Variables by prompt, those of a prompt with errors unknown. */
function promptsOf(prompts: readonly LinkedPrompt[], names: ReadonlySet<string>): PromptNames {
  const variables = new Map(prompts.map(({ compiled }) => [compiled.name, compiled.variables]))
  return new Map([...names].map((name) => [name, variables.get(name)]))
}

function environmentsOf(workspace: WorkspaceFile): CompiledWorkspace['environments'] {
  const entries = Object.entries(workspace.environments ?? {}).map(([name, environment]) => {
    const { connections = {}, models = {}, params = {}, drills } = environment
    const plans = Object.entries(drills ?? {}).map(([model, each]) => [model, drillPlanOf(each)] as const)
    const declared = drills === undefined ? {} : { drills: Object.fromEntries(plans) }
    return [name, { connections, models, params, ...declared }] as const
  })
  return Object.fromEntries(entries)
}

/** Params that environments set exist, and their values fit. */
function checkEnvironmentParams(
  { workspace, document }: ReadWorkspaceFile,
  compiled: CompiledWorkspace,
  problems: ProblemList,
): void {
  const declared = paramsOf(compiled)
  for (const [environment, { params = {} }] of Object.entries(workspace.environments ?? {})) {
    for (const [name, value] of Object.entries(params)) {
      const declaration = Object.hasOwn(declared, name) ? declared[name] : undefined
      const path = ['environments', environment, 'params', name]
      if (declaration === undefined) {
        const message = `unknown param "${name}"${didYouMean(name, Object.keys(declared))}`
        document.report(problems, path, { code: 'unknown_param', message }, 'key')
      } else if (!fitsParam(declaration, value)) {
        const message = `${JSON.stringify(value)} is no value of the param "${name}" (${declaration.type})`
        document.report(problems, path, { code: 'param', message })
      }
    }
  }
}

/** Every target that an alias, in any environment, or a policy can name. */
function allTargets(workspace: WorkspaceFile, named: readonly string[], path: LayerPath): string[] {
  const overrides = Object.values(workspace.environments ?? {}).flatMap(({ models = {} }) =>
    Object.values(models),
  )
  const aliases = [...Object.values(workspace.models ?? {}), ...overrides].flat()
  const byPolicies = named.flatMap((name) => path.targets(name) ?? [])
  return [...new Set([...aliases, ...byPolicies])]
}

function assemble(
  { workspace }: ReadWorkspaceFile,
  definitions: CompiledDefinitions,
  prompts: readonly LinkedPrompt[],
): CompiledWorkspace {
  const compiled: CompiledWorkspace = {
    schema: 'compiled/1',
    name: workspace.name,
    node: workspace.node ?? '',
    connections: workspace.connections ?? {},
    models: workspace.models ?? {},
    metadata: workspace.metadata ?? {},
    catalogue: workspace.catalogue ?? {},
    ...(workspace.safeRoute !== undefined && { safeRoute: workspace.safeRoute }),
    environments: environmentsOf(workspace),
    policies: definitions.policies,
    guardrails: definitions.guardrails,
    prompts: prompts.map((prompt) => prompt.compiled),
    reads: [...new Set(definitions.policies.flatMap(({ reads }) => reads))].sort(),
    targets: [],
    safeRoutes: {},
  }
  const path = new LayerPath([0], [namesOf(compiled, '')])
  const safe = [...definitions.safeRoutes].flatMap(([policy, name]) => {
    const plan = orderedTargets(path.targets(name) ?? [])
    return plan === null ? [] : [[policy, plan] as const]
  })
  const named = [...definitions.named, ...definitions.safeRoutes.values()]
  return { ...compiled, targets: allTargets(workspace, named, path), safeRoutes: Object.fromEntries(safe) }
}

/**
 * Compiles the sources of a workspace: `signalbox.yaml`, policies, guardrails, prompts. Goes on past problems to find
 * as many as it can; undefined where nothing whole comes out. Code of the workspace runs in the sandbox only.
 */
export async function compileWorkspace(
  files: SourceFiles,
  around: { sandbox: Sandbox; catalogue: CatalogueIndex; problems: ProblemList; today?: string | undefined },
): Promise<CompiledSources | undefined> {
  const { sandbox, catalogue, problems } = around
  const read = readWorkspaceFile(files.get('signalbox.yaml'), problems)
  const { prompts, names: promptNames } = compilePrompts(files, problems)
  const modules = new WorkspaceModules(files, problems)
  const others = { guardrails: modules.guardrails(), prompts: promptsOf(prompts, promptNames) }
  const names = namesOfWorkspace(read?.workspace ?? {}, others)
  if (read === undefined) {
    // No name can be known, and every policy would be called wrong: only what does not parse is told of.
    modules.parse()
    return undefined
  }
  checkPacks(read, files, problems)
  modules.compile(names, read.metadata)
  checkPromptModels(prompts, names, problems)
  reportUnknownProviders(read, problems)
  lintModules(modules, problems)
  const definitions = modules.runnable()
  const { graph } = modules
  const freeze = [...modules.sites().values()].some((site) => site.escapes)
  const input = { files, graph, modules: modules.modules, definitions, freeze }
  const loaded = await loadDefinitions(input, sandbox, problems)
  if (loaded === undefined) return undefined
  const { made, description } = loaded
  const scope = {
    modules: modules.modules,
    sites: modules.sites(),
    names,
    safeRoute: read.workspace.safeRoute,
    problems,
    files,
  }
  const compiledDefinitions = compileDefinitions(description, scope)
  const compiled = assemble(read, compiledDefinitions, prompts)
  checkEnvironmentParams(read, compiled, problems)
  checkRuleReferences(files, compiled, problems)
  for (const { file, finding } of guardrailNameFindings(compiled.guardrails, names)) {
    const start = modules.modules.get(file)?.defaultPosition ?? startOfFile
    problems.add(file, offendingPlace(files.get(file), finding.offending, start), finding)
  }
  warnOfUnpricedTargets(read, catalogue, problems)
  if (around.today !== undefined) warnOfRetiringTargets(read, catalogue, problems, around.today)
  if (compiled.targets.length > targetsMax) {
    const message = `aliases and policies name ${compiled.targets.length} targets, at most ${targetsMax} are possible`
    read.document.report(problems, ['models'], { code: 'too_many_targets', message }, 'key')
  }
  const analysis = analyse(
    { read, compiled, catalogue, graph, modules: modules.modules, description },
    problems,
  )
  return { compiled, bundle: made, rules: compiledDefinitions.rules, analysis }
}
