import type { Effect, PlanNode } from '@signalbox/sdk/contract'
import { didYouMean } from './near-name.ts'
import type { Finding } from './problem-list.ts'
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

function checkPrompt(name: string | undefined, names: WorkspaceNames): Finding | undefined {
  if (name === undefined || names.prompts.has(name)) return undefined
  const message = `unknown prompt "${name}"${didYouMean(name, names.prompts)}`
  return { code: 'unknown_prompt', message }
}

function checkPlanNames(node: PlanNode, names: WorkspaceNames, path: DocumentPath): NameFinding[] {
  if ('target' in node) {
    return [
      ...at([...path, 'target'], checkModelName(node.target, names)),
      ...at([...path, 'prompt', 'name'], checkPrompt(node.prompt?.name, names)),
    ]
  }
  if ('strategy' in node) {
    return node.of.flatMap((child, index) => checkPlanNames(child, names, [...path, 'of', index]))
  }
  return node.pipeline.flatMap((step, index) =>
    checkPlanNames(step.node, names, [...path, 'pipeline', index, 'node']),
  )
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
  if ('plan' in effect) return checkPlanNames(effect.plan, names, ['plan'])
  if (!('use' in effect)) return []
  const { model, fallback = [], prompt } = effect.use
  const name = typeof model === 'string' ? model : model.or
  const path = typeof model === 'string' ? ['use', 'model'] : ['use', 'model', 'or']
  return [
    ...at(path, checkModelName(name, names)),
    ...fallback.flatMap((each, index) => at(['use', 'fallback', index], checkModelName(each, names))),
    ...at(['use', 'prompt'], checkPrompt(prompt, names)),
  ]
}

function namesInPlan(node: PlanNode): string[] {
  if ('target' in node) return [node.target]
  return 'strategy' in node
    ? node.of.flatMap(namesInPlan)
    : node.pipeline.flatMap((step) => namesInPlan(step.node))
}

/** Models that an effect sends calls to: aliases and targets. */
export function modelsNamedBy(effect: Effect): string[] {
  if ('plan' in effect) return namesInPlan(effect.plan)
  if (!('use' in effect)) return []
  const { model, fallback = [] } = effect.use
  return [typeof model === 'string' ? model : model.or, ...fallback]
}
