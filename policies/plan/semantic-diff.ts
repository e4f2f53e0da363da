import type { CompiledWorkspace, VersionChanges } from '@signalbox/sdk/contract'
import { canonicalJson } from '@signalbox/sdk/node'
import type {
  AnalysedGuardrail,
  AnalysedPolicy,
  AnalysedRule,
} from '../compile/analysis/analysed-workspace.ts'
import { and, not } from '../compile/analysis/formula.ts'
import { isPossible } from '../compile/analysis/satisfy.ts'
import { paramsOf } from '../evaluation/param-values.ts'
import { effectText } from '../explain/effect-text.ts'
import { comparable, type PlanSide } from './plan-side.ts'

/** One thing that is not what it was. */
export type PlanChange = Readonly<VersionChanges['changes'][number]>

const textMax = 160
const cut = (text: string): string => (text.length > textMax ? `${text.slice(0, textMax - 1)}…` : text)
const shown = (value: unknown): string =>
  cut(value === undefined ? 'none' : typeof value === 'string' ? value : canonicalJson(value))
const same = (one: unknown, other: unknown): boolean =>
  canonicalJson(one ?? null) === canonicalJson(other ?? null)
const arrow = (name: string, was: unknown, is: unknown): string[] =>
  same(was, is) ? [] : [`${name}: ${shown(was)} → ${shown(is)}`]

const conditionText = ({ atoms, isDefault }: Pick<AnalysedRule, 'atoms' | 'isDefault'>): string =>
  isDefault ? 'always' : cut(atoms.map(({ text }) => text).join('; ') || 'code')
const effectsText = ({ effects }: AnalysedRule): string =>
  effects === null ? 'depends on the call' : cut(effects.map(effectText).join('; '))

/** Whether a rule is asked about more, fewer or other calls than it was. */
function reach(was: AnalysedRule, is: AnalysedRule, sides: Sides): string[] {
  const [old, now] = [comparable(was, sides.before), comparable(is, sides.after)]
  const loses = isPossible(and([old, not(now)]))
  const gains = isPossible(and([now, not(old)]))
  const isSameText = conditionText(was) === conditionText(is)
  if (!loses && !gains && isSameText) return []
  const text = isSameText ? conditionText(is) : `${conditionText(was)} → ${conditionText(is)}`
  if (!loses && !gains) return [`condition written anew: ${text}`]
  const calls = loses && gains ? 'other calls' : loses ? 'fewer calls' : 'more calls'
  return [`condition: ${text} (${calls})`]
}

interface Sides {
  readonly before: PlanSide
  readonly after: PlanSide
}

function ruleDetails(was: AnalysedRule, is: AnalysedRule, sides: Sides): string[] {
  const details = reach(was, is, sides)
  if (!same(was.effects, is.effects)) {
    const [from, to] = [effectsText(was), effectsText(is)]
    details.push(from === to ? `says: ${shown(was.effects)} → ${shown(is.effects)}` : `says: ${from} → ${to}`)
  } else if (is.effects === null && sides.before.closure(was.file) !== sides.after.closure(is.file)) {
    details.push('what it says depends on the call, and its code changed')
  }
  return [...details, ...arrow('onError', was.onError, is.onError)]
}

/** Rules that stand in another order among those of both sides: only routes ask them in turn. */
function movedRules(was: AnalysedPolicy, is: AnalysedPolicy): string[] {
  const order = (one: AnalysedPolicy, other: AnalysedPolicy) =>
    one.rules.map(({ id }) => id).filter((id) => other.rules.some((rule) => rule.id === id))
  const [before, after] = [order(was, is), order(is, was)]
  return after.filter((id, at) => before[at] !== id)
}

function rulesDiff(was: AnalysedPolicy, is: AnalysedPolicy, sides: Sides): PlanChange[] {
  const moved = new Set(movedRules(was, is))
  const name = (id: string): string => `${is.id}/${id}`
  const changes = is.rules.flatMap((rule): PlanChange[] => {
    const place = { file: rule.file, line: rule.position.line }
    const old = was.rules.find(({ id }) => id === rule.id)
    if (old === undefined) {
      const details = [`when: ${conditionText(rule)}`, `says: ${effectsText(rule)}`]
      return [{ thing: 'rule', name: name(rule.id), change: 'added', details, ...place }]
    }
    const details = ruleDetails(old, rule, sides)
    const [from, to] = [was.rules.indexOf(old) + 1, is.rules.indexOf(rule) + 1]
    if (moved.has(rule.id) && is.kind === 'route') details.push(`place: ${from} → ${to}`)
    if (details.length === 0) return []
    const change = details.length === 1 && details[0]?.startsWith('place:') ? 'moved' : 'changed'
    return [{ thing: 'rule', name: name(rule.id), change, details, ...place }]
  })
  const gone = was.rules.filter(({ id }) => !is.rules.some((rule) => rule.id === id))
  return [
    ...changes,
    ...gone.map(
      (rule): PlanChange => ({
        ...{ thing: 'rule', name: name(rule.id), change: 'removed' },
        details: [`when: ${conditionText(rule)}`, `said: ${effectsText(rule)}`],
      }),
    ),
  ]
}

function policiesDiff(sides: Sides): PlanChange[] {
  const { before, after } = sides
  const changes = after.workspace.policies.flatMap((policy): PlanChange[] => {
    const { id: name, kind, file, position } = policy
    const place = { file, line: position.line }
    const old = before.workspace.policies.find(({ id }) => id === name)
    if (old === undefined) {
      const details = [
        `${kind}, ${policy.rules.length} rules: ${cut(policy.rules.map(({ id }) => id).join(', '))}`,
      ]
      return [{ thing: 'policy', name, change: 'added', details, ...place }]
    }
    const details = [
      ...arrow('kind', old.kind, kind),
      ...arrow('match', old.match, policy.match),
      ...arrow('onError', old.onError, policy.onError),
      ...arrow('safeRoute', old.safeRoute, policy.safeRoute),
    ]
    const own: PlanChange[] =
      details.length === 0 ? [] : [{ thing: 'policy', name, change: 'changed', details, ...place }]
    return [...own, ...rulesDiff(old, policy, sides)]
  })
  const gone = before.workspace.policies.filter(
    ({ id }) => !after.workspace.policies.some((each) => each.id === id),
  )
  const routes = (side: PlanSide, other: PlanSide) =>
    side.workspace.policies
      .filter(({ id, kind }) => kind === 'route' && other.workspace.policies.some((each) => each.id === id))
      .map(({ id }) => id)
  const [was, is] = [routes(before, after), routes(after, before)]
  const order: PlanChange[] = same(was, is)
    ? []
    : [
        {
          thing: 'policy',
          name: 'order of routes',
          change: 'moved',
          details: [`${was.join(', ')} → ${is.join(', ')}`],
        },
      ]
  return [
    ...changes,
    ...gone.map(
      ({ id, kind, rules }): PlanChange => ({
        ...{ thing: 'policy', name: id, change: 'removed' },
        details: [`${kind}, ${rules.length} rules: ${cut(rules.map((rule) => rule.id).join(', '))}`],
      }),
    ),
    ...order,
  ]
}

function screenDetails(was: AnalysedGuardrail, is: AnalysedGuardrail, { before, after }: Sides): string[] {
  const details = arrow('direction', was.direction, is.direction)
  for (const rule of is.rules) {
    const old = was.rules.find(({ id }) => id === rule.id)
    if (old === undefined) {
      details.push(`rule ${rule.id} added: ${conditionText(rule)}: ${shown(rule.says)}`)
      continue
    }
    const [from, to] = [comparable(old, before), comparable(rule, after)]
    if (isPossible(and([from, not(to)])) || isPossible(and([to, not(from)]))) {
      details.push(`rule ${rule.id}: ${conditionText(old)} → ${conditionText(rule)}`)
    }
    details.push(...arrow(`rule ${rule.id} says`, old.says, rule.says))
  }
  const gone = was.rules.filter(({ id }) => !is.rules.some((rule) => rule.id === id))
  return [...details, ...gone.map(({ id }) => `rule ${id} removed`)]
}

function guardrailsDiff(sides: Sides): PlanChange[] {
  const [old, now] = [sides.before.workspace.guardrails, sides.after.workspace.guardrails]
  const changes = now.flatMap((guardrail): PlanChange[] => {
    const { id: name, direction } = guardrail
    const was = old.find(({ id }) => id === name)
    const [first] = guardrail.rules
    const place = first === undefined ? {} : { file: first.file, line: first.position.line }
    if (was === undefined)
      return [{ thing: 'guardrail', name, change: 'added', details: [direction], ...place }]
    const details = screenDetails(was, guardrail, sides)
    return details.length === 0 ? [] : [{ thing: 'guardrail', name, change: 'changed', details, ...place }]
  })
  const gone = old.filter(({ id }) => !now.some((each) => each.id === id))
  return [
    ...changes,
    ...gone.map(
      ({ id, direction }): PlanChange => ({
        thing: 'guardrail',
        name: id,
        change: 'removed',
        details: [direction],
      }),
    ),
  ]
}

/** Members of two records that differ, by name. */
function membersDiff(
  thing: PlanChange['thing'],
  was: Readonly<Record<string, unknown>>,
  is: Readonly<Record<string, unknown>>,
  at = '',
): PlanChange[] {
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort()
  return names.flatMap((each): PlanChange[] => {
    const [old, now] = [was[each], is[each]]
    if (same(old, now)) return []
    const name = `${each}${at}`
    if (old === undefined) return [{ thing, name, change: 'added', details: [shown(now)] }]
    if (now === undefined) return [{ thing, name, change: 'removed', details: [shown(old)] }]
    return [{ thing, name, change: 'changed', details: [`${shown(old)} → ${shown(now)}`] }]
  })
}

function promptsOf({ prompts }: CompiledWorkspace): Record<string, unknown> {
  return Object.fromEntries(
    prompts.map(({ name, digest, variables, model }) => [
      name,
      { text: digest.slice(0, 15), variables, model },
    ]),
  )
}

function environmentsDiff(was: CompiledWorkspace, is: CompiledWorkspace): PlanChange[] {
  const names = [...new Set([...Object.keys(was.environments), ...Object.keys(is.environments)])].sort()
  return names.flatMap((name) => {
    const [old, now] = [was.environments[name], is.environments[name]]
    const at = ` in ${name}`
    return [
      ...membersDiff('connection', old?.connections ?? {}, now?.connections ?? {}, at),
      ...membersDiff('alias', old?.models ?? {}, now?.models ?? {}, at),
      ...membersDiff('param', old?.params ?? {}, now?.params ?? {}, at),
    ]
  })
}

/** Prices of the targets that either version can name, from catalogue and workspace. */
function pricesDiff({ before, after }: Sides): PlanChange[] {
  const targets = [...new Set([...before.version.compiled.targets, ...after.version.compiled.targets])].sort()
  const [was, is] = [before.prices(''), after.prices('')]
  const common = targets.filter((each) =>
    [before, after].every(({ version }) => version.compiled.targets.includes(each)),
  )
  return common.flatMap((name): PlanChange[] => {
    const [old, now] = [was.prices(name), is.prices(name)]
    if (same(old, now)) return []
    const details = [
      `${shown(old?.map(({ units }) => units))} → ${shown(now?.map(({ units }) => units))} (pico-dollars)`,
    ]
    return [{ thing: 'price', name, change: 'changed', details }]
  })
}

/** What two versions mean differently, from their intermediate forms: not which lines of text differ. */
export function semanticDiff(before: PlanSide, after: PlanSide): PlanChange[] {
  const sides = { before, after }
  const [was, is] = [before.version.compiled, after.version.compiled]
  const workspace = [...arrow('node', was.node, is.node), ...arrow('safeRoute', was.safeRoute, is.safeRoute)]
  const [old, now] = [before.version.manifest, after.version.manifest]
  const engine = [
    ...arrow('engine', old.engine, now.engine),
    ...arrow('catalogue', old.catalogue, now.catalogue),
  ]
  return [
    ...(workspace.length === 0
      ? []
      : [{ thing: 'workspace', name: is.name, change: 'changed', details: workspace } as const]),
    ...policiesDiff(sides),
    ...guardrailsDiff(sides),
    ...membersDiff('prompt', promptsOf(was), promptsOf(is)),
    ...membersDiff('param', paramsOf(was), paramsOf(is)),
    ...membersDiff('alias', was.models, is.models),
    ...membersDiff('connection', was.connections, is.connections),
    ...membersDiff('metadata', was.metadata, is.metadata),
    ...environmentsDiff(was, is),
    ...pricesDiff(sides),
    ...(engine.length === 0
      ? []
      : [{ thing: 'engine', name: 'engine and catalogue', change: 'changed', details: engine } as const]),
  ]
}
