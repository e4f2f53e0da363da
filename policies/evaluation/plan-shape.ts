import {
  type PlanFeature,
  PlanNodeDefinition,
  planDepthMax,
  type StepSignal,
  type Strategy,
  stepSignals,
  strategyOptions,
} from '@signalbox/sdk/contract'
import type { TSchema } from 'typebox'
import { type EffectChecks, type EffectFinding, within } from './effect-finding.ts'

type Path = readonly (string | number)[]

/** Alternatives of a plan node without what stands below: children are checked one by one. */
const [targetSchema, strategySchema, pipelineSchema] = shallowPlanSchemas()

function shallowPlanSchemas(): [TSchema, TSchema, TSchema] {
  const [target, strategy, pipeline] = JSON.parse(JSON.stringify(PlanNodeDefinition.anyOf))
  // An alias may stand where the finished plan has its targets.
  target.properties.target = { type: 'string', minLength: 1, maxLength: 256 }
  strategy.properties.of.items = {}
  pipeline.properties.pipeline.items.properties.node = {}
  return [target, strategy, pipeline]
}

/** The schema of an effect without the plans in it, which are checked by themselves. */
export function withoutPlans(schema: TSchema, effect: string): TSchema {
  if (effect !== 'use' && effect !== 'plan') return schema
  const shallow = JSON.parse(JSON.stringify(schema))
  const members = effect === 'use' ? shallow.properties.use.properties : shallow.properties
  if (effect === 'plan') members.plan = {}
  const classes = members.onErrorClass.properties
  for (const name of Object.keys(classes)) classes[name] = {}
  return shallow
}

function finding(code: string, message: string, path: Path = []): EffectFinding[] {
  return [{ code, message, path, part: 'value' }]
}

/** What a feature would do, of those that no release of the gateway carries out yet. */
const unmade: Readonly<Partial<Record<PlanFeature, string>>> = {
  mirror: 'no copy of the call would be sent',
  obligations: 'nothing of it would be done',
}

/** Why a policy with this feature makes no version, and what to do. */
export function unsupportedMessage(feature: PlanFeature, known: readonly PlanFeature[]): string {
  const what = unmade[feature] ?? 'the plan would not be followed'
  const there = known.map((each) => `"${each}"`).join(', ')
  return `"${feature}" is not carried out by the gateway of this release: ${what}. Take it out, or keep it for \`signalbox test\` only, where cases can expect it; there is ${there}`
}

/** Says that a feature has no engine, where it has none. */
function unsupported(feature: PlanFeature, path: Path, checks: EffectChecks): EffectFinding[] {
  if (checks.features.includes(feature)) return []
  return finding('unsupported_strategy', unsupportedMessage(feature, checks.features), path)
}

function checkStrategy(node: object, checks: EffectChecks, depth: number): readonly EffectFinding[] {
  const findings = checks.check(strategySchema, node)
  if (findings.length > 0) return findings
  const { strategy, of, with: options = {} } = node as { strategy: Strategy; of: unknown[]; with?: object }
  const { weights } = options as { weights?: unknown[] }
  const wrongCount = strategy === 'weighted' && weights?.length !== of.length
  return [
    ...unsupported(strategy, ['strategy'], checks),
    ...within(['with'], checks.check(strategyOptions[strategy], options)),
    ...(wrongCount && weights !== undefined
      ? finding('schema', `there are ${of.length} parts and ${weights.length} weights`, ['with', 'weights'])
      : []),
    ...of.flatMap((child, index) => within(['of', index], checkPlan(child, checks, depth + 1))),
  ]
}

const comparisons = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte']

/** Checks when a step runs: comparisons of signals of the steps before it. */
function checkSignals(condition: unknown, earlier: readonly string[], path: Path): EffectFinding[] {
  const [entry, second] = Object.entries(Object(condition))
  const [operator, inner] = entry ?? ['', undefined]
  const at = [...path, operator]
  if (second === undefined && (operator === 'all' || operator === 'any') && Array.isArray(inner)) {
    return inner.flatMap((each, index) => checkSignals(each, earlier, [...at, index]))
  }
  if (second === undefined && operator === 'not') return checkSignals(inner, earlier, at)
  const [left, right, third]: unknown[] = Array.isArray(inner) ? inner : []
  const name: unknown = Object(left).signal
  const isComparison = comparisons.includes(operator) && second === undefined && third === undefined
  if (!isComparison || typeof name !== 'string' || Object.keys(Object(left)).length !== 1) {
    const message = '"onlyIf" compares a signal, as { "lt": [{ "signal": "draft.chars" }, 100] }'
    return finding('expression', message, path)
  }
  const dot = name.lastIndexOf('.')
  const step = name.slice(0, Math.max(0, dot))
  const kind = Object.hasOwn(stepSignals, name.slice(dot + 1))
    ? stepSignals[name.slice(dot + 1) as StepSignal]
    : undefined
  if (kind === undefined || !earlier.includes(step)) {
    const steps = earlier.length === 0 ? 'none' : earlier.map((each) => `"${each}"`).join(', ')
    const known = Object.keys(stepSignals).join(', ')
    const message = `unknown signal "${name}": it is STEP.SIGNAL, of an earlier step (${steps}), one of ${known}`
    return finding('expression', message, [...at, 0])
  }
  const isOrder = operator !== 'eq' && operator !== 'ne'
  if (typeof right === kind && !(isOrder && kind !== 'number')) return []
  const message = `type mismatch: "${operator}" compares "${name}", a ${kind}, with ${JSON.stringify(right)}`
  return finding('type_mismatch', message, [...at, 1])
}

function checkPipeline(node: object, checks: EffectChecks, depth: number): readonly EffectFinding[] {
  const findings = checks.check(pipelineSchema, node)
  if (findings.length > 0) return findings
  const { pipeline } = node as { pipeline: { id: string; node: unknown; onlyIf?: unknown }[] }
  const ids = pipeline.map(({ id }) => id)
  return [
    ...unsupported('pipeline', ['pipeline'], checks),
    ...pipeline.flatMap((step, index) => {
      const path = ['pipeline', index]
      const isSecond = ids.indexOf(step.id) !== index
      return [
        ...(isSecond ? finding('duplicate_id', `two steps are called "${step.id}"`, [...path, 'id']) : []),
        ...(step.onlyIf === undefined
          ? []
          : checkSignals(step.onlyIf, ids.slice(0, index), [...path, 'onlyIf'])),
        ...within([...path, 'node'], checkPlan(step.node, checks, depth + 1)),
      ]
    }),
  ]
}

/** Checks a plan tree: shape, depth, options of its strategies, and that it can be carried out. */
export function checkPlan(node: unknown, checks: EffectChecks, depth = 1): readonly EffectFinding[] {
  if (typeof node !== 'object' || node === null) return finding('schema', 'a plan is an object')
  if (depth > planDepthMax) return finding('plan_depth', `a plan is at most ${planDepthMax} deep`)
  if ('pipeline' in node) return checkPipeline(node, checks, depth)
  return 'strategy' in node ? checkStrategy(node, checks, depth) : checks.check(targetSchema, node)
}

/** Checks what a choice says beside its plan. */
export function checkBeside(choice: object, checks: EffectChecks): EffectFinding[] {
  const features = ['mirror', 'onErrorClass', 'cache', 'fidelity', 'obligations'] as const
  const said = features.filter((name) => Object.hasOwn(choice, name))
  const { onErrorClass = {} } = choice as { onErrorClass?: Record<string, unknown> }
  return [
    ...said.flatMap((name) => unsupported(name, [name], checks)),
    ...Object.entries(onErrorClass).flatMap(([name, node]) =>
      within(['onErrorClass', name], checkPlan(node, checks)),
    ),
  ]
}
