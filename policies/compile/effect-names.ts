import type { ChoiceMembers, Effect, PlanNode } from '@signalbox/sdk/contract'
import type { Finding } from './problem-list.ts'
import { checkPromptUse, unknownValue } from './prompt-names.ts'
import type { DocumentPath } from './source-document.ts'
import {
  checkConnection,
  checkGuardrail,
  checkModelName,
  checkTarget,
  type WorkspaceNames,
} from './workspace-names.ts'

/** A name in an effect that means nothing. */
export interface NameFinding extends Finding {
  readonly path: DocumentPath
}

function at(path: DocumentPath, finding: Finding | undefined): NameFinding[] {
  return finding === undefined ? [] : [{ ...finding, path }]
}

type PromptReference =
  | string
  | { readonly name: string; readonly variables?: Readonly<Record<string, unknown>> }

/** A value of a JSON policy that comes from a fact is not known yet. */
function knownOrNot(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? unknownValue : value
}

/** What is wrong with a prompt that an effect names, and with the variables it is given. */
function checkPrompt(
  reference: PromptReference | undefined,
  names: WorkspaceNames,
  path: DocumentPath,
): NameFinding[] {
  if (reference === undefined) return []
  const { name, variables = {} } = typeof reference === 'string' ? { name: reference } : reference
  const given = Object.entries(variables).map(([variable, value]) => [variable, knownOrNot(value)])
  const findings = checkPromptUse(name, Object.fromEntries(given), names.prompts)
  return findings.map((finding) => {
    const place = typeof reference === 'string' ? path : [...path, ...finding.path]
    return { ...finding, path: place }
  })
}

function checkPlanNames(node: PlanNode, names: WorkspaceNames, path: DocumentPath): NameFinding[] {
  if ('target' in node) {
    return [
      ...at([...path, 'target'], checkModelName(node.target, names)),
      ...checkPrompt(node.prompt, names, [...path, 'prompt']),
    ]
  }
  if ('strategy' in node) {
    return node.of.flatMap((child, index) => checkPlanNames(child, names, [...path, 'of', index]))
  }
  return node.pipeline.flatMap((step, index) =>
    checkPlanNames(step.node, names, [...path, 'pipeline', index, 'node']),
  )
}

function checkBesideNames(choice: ChoiceMembers, names: WorkspaceNames, path: DocumentPath): NameFinding[] {
  const { mirror, semanticCache, onErrorClass = {} } = choice
  const embedder = semanticCache?.model
  return [
    ...(embedder === undefined
      ? []
      : at([...path, 'semanticCache', 'model'], checkModelName(embedder, names))),
    ...(mirror === undefined ? [] : at([...path, 'mirror'], checkModelName(mirror, names))),
    ...Object.entries(onErrorClass).flatMap(([name, node]) =>
      node === undefined ? [] : checkPlanNames(node, names, [...path, 'onErrorClass', name]),
    ),
  ]
}

function checkFilterNames(
  where: { connection?: string | readonly string[]; target?: string | readonly string[] },
  names: WorkspaceNames,
  path: DocumentPath,
): NameFinding[] {
  const found: NameFinding[] = []
  for (const column of ['connection', 'target'] as const) {
    const wanted = where[column] ?? []
    const check = column === 'connection' ? checkConnection : checkTarget
    for (const [index, value] of [wanted].flat().entries()) {
      const place = typeof wanted === 'string' ? [...path, column] : [...path, column, index]
      found.push(...at(place, check(value, names.connections)))
    }
  }
  return found
}

/** Names in an effect of right shape that mean nothing in its workspace. Paths start at the effect. */
export function checkEffectNames(effect: Effect, names: WorkspaceNames): NameFinding[] {
  if ('only' in effect) return checkFilterNames(effect.only.where, names, ['only', 'where'])
  if ('requireGuard' in effect) {
    return at(['requireGuard', 'id'], checkGuardrail(effect.requireGuard, names))
  }
  if ('plan' in effect) {
    return [...checkPlanNames(effect.plan, names, ['plan']), ...checkBesideNames(effect, names, [])]
  }
  if (!('use' in effect)) return []
  const { model, fallback = [], prompt } = effect.use
  const name = typeof model === 'string' ? model : model.or
  const path = typeof model === 'string' ? ['use', 'model'] : ['use', 'model', 'or']
  return [
    ...at(path, checkModelName(name, names)),
    ...fallback.flatMap((each, index) => at(['use', 'fallback', index], checkModelName(each, names))),
    ...checkPrompt(prompt, names, ['use', 'prompt']),
    ...checkBesideNames(effect.use, names, ['use']),
  ]
}

function namesInPlan(node: PlanNode): string[] {
  if ('target' in node) return [node.target]
  return 'strategy' in node
    ? node.of.flatMap(namesInPlan)
    : node.pipeline.flatMap((step) => namesInPlan(step.node))
}

function namesBeside({ mirror, semanticCache, onErrorClass = {} }: ChoiceMembers): string[] {
  const nodes = Object.values(onErrorClass).filter((node) => node !== undefined)
  const beside = [mirror, semanticCache?.model].filter((name) => name !== undefined)
  return [...beside, ...nodes.flatMap(namesInPlan)]
}

/** Models that an effect sends calls to, or embeds questions with: aliases and targets. */
export function modelsNamedBy(effect: Effect): string[] {
  if ('plan' in effect) return [...namesInPlan(effect.plan), ...namesBeside(effect)]
  if (!('use' in effect)) return []
  const { model, fallback = [] } = effect.use
  return [typeof model === 'string' ? model : model.or, ...fallback, ...namesBeside(effect.use)]
}
