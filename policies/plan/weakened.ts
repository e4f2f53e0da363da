import type { Effect } from '@signalbox/sdk/contract'
import { canonicalJson } from '@signalbox/sdk/node'
import type {
  AnalysedGuardrail,
  AnalysedPolicy,
  AnalysedRule,
} from '../compile/analysis/analysed-workspace.ts'
import { and, type Formula, literalsOf, not, or } from '../compile/analysis/formula.ts'
import { describeModel, findModel } from '../compile/analysis/satisfy.ts'
import { paramsOf } from '../evaluation/param-values.ts'
import { effectText } from '../explain/effect-text.ts'
import { comparable, type PlanSide } from './plan-side.ts'
import { uncovered } from './strictness.ts'

/** Something that was forbidden or looked at, and would not be any more. */
export interface Weakening {
  /** `policy`, `policy/rule`, `guardrail NAME`, `connection NAME`, `param NAME`. */
  readonly what: string
  readonly why: string
  /** Where it stands now; where it stood if it is gone. */
  readonly file: string
  readonly line: number
}

interface ConstraintRule {
  readonly policy: AnalysedPolicy
  readonly rule: AnalysedRule
  readonly applies: Formula
}

function constraintRules(side: PlanSide): ConstraintRule[] {
  return side.workspace.policies
    .filter(({ kind }) => kind === 'constraint')
    .flatMap((policy) =>
      policy.rules.map((rule) => ({ policy, rule, applies: and([policy.asked, comparable(rule, side)]) })),
    )
}

/** What effects that depend on the call come from: the same code gives the same. */
const sourceOf = ({ rule, policy }: ConstraintRule, side: PlanSide): string =>
  `${policy.id}/${rule.id} ${side.closure(rule.file)}`

/** Calls for which something that a rule said is said by none any more; undefined where there are none. */
function lostEffects(
  old: ConstraintRule,
  before: PlanSide,
  after: PlanSide,
  rules: readonly ConstraintRule[],
) {
  const { effects } = old.rule
  if (effects === null) {
    const source = sourceOf(old, before)
    const same = rules.filter((each) => each.rule.effects === null && sourceOf(each, after) === source)
    const model = findModel([old.applies, not(or(same.map(({ applies }) => applies)))])
    return model === null
      ? undefined
      : { said: 'what it says depends on the call, and its code changed', model }
  }
  for (const effect of effects) {
    const covering = rules.filter(
      ({ rule }) => rule.effects !== null && uncovered([effect], rule.effects).length === 0,
    )
    const model = findModel([old.applies, not(or(covering.map(({ applies }) => applies)))])
    if (model !== null) return { said: effectText(effect), model }
  }
  return undefined
}

/** Rules of constraints that hold for fewer calls, say less, or are gone. */
function weakenedRules(before: PlanSide, after: PlanSide): Weakening[] {
  const rules = constraintRules(after)
  return constraintRules(before).flatMap((old): Weakening[] => {
    const lost = lostEffects(old, before, after, rules)
    if (lost === undefined) return []
    const { policy, rule } = old
    const now = rules.find((each) => each.policy.id === policy.id && each.rule.id === rule.id)
    const place = { file: (now ?? old).rule.file, line: (now ?? old).rule.position.line }
    const where = describeModel(lost.model)
    const calls = where === '' ? '' : `, for example where ${where}`
    const why =
      now === undefined
        ? `is gone: ${lost.said}${calls}`
        : `no longer holds for some calls: ${lost.said}${calls}`
    return [{ what: `${policy.id}/${rule.id}`, why, ...place }]
  })
}

const strictOnError = (value: unknown): boolean => value === undefined || value === 'deny'

/** Constraints that let a call pass where they break. */
function relaxedErrors(before: PlanSide, after: PlanSide): Weakening[] {
  const old = constraintRules(before)
  return constraintRules(after).flatMap(({ policy, rule }): Weakening[] => {
    const was = old.find((each) => each.policy.id === policy.id && each.rule.id === rule.id)
    if (was === undefined) return []
    const [from, to] = [was.rule.onError ?? was.policy.onError, rule.onError ?? policy.onError]
    if (!strictOnError(from) || strictOnError(to)) return []
    const why = `onError ${String(from ?? 'deny')} → ${typeof to === 'string' ? to : canonicalJson(to)}`
    return [{ what: `${policy.id}/${rule.id}`, why, file: rule.file, line: rule.position.line }]
  })
}

const actionRank = ['flag', 'redact', 'refuse', 'block']
const strengthOf = (says: readonly unknown[] | null): number =>
  Math.max(
    -1,
    ...(says ?? []).flatMap((each) => Object.keys(Object(each)).map((name) => actionRank.indexOf(name))),
  )

/** Guardrails that stop less text, or that are gone. */
function weakenedGuardrails(before: PlanSide, after: PlanSide): Weakening[] {
  return before.workspace.guardrails.flatMap((old): Weakening[] => {
    const what = `guardrail ${old.id}`
    const now = after.workspace.guardrails.find(({ id }) => id === old.id)
    const [first] = old.rules
    const place = { file: first?.file ?? '', line: first?.position.line ?? 1 }
    if (now === undefined) return [{ what, why: 'is gone', ...place }]
    if (now.direction !== old.direction)
      return [{ what, why: `looks at ${now.direction}, not at ${old.direction}`, ...place }]
    return weakenedScreens(old, now, { before, after })
  })
}

function weakenedScreens(
  old: AnalysedGuardrail,
  now: AnalysedGuardrail,
  { before, after }: { before: PlanSide; after: PlanSide },
): Weakening[] {
  return old.rules.flatMap((rule): Weakening[] => {
    const strength = strengthOf(rule.says)
    const covering = now.rules.filter(({ says, file }) =>
      rule.says === null || says === null
        ? after.closure(file) === before.closure(rule.file)
        : strengthOf(says) >= strength && (strength < 1 || sameRedaction(rule.says, says)),
    )
    const model = findModel([
      comparable(rule, before),
      not(or(covering.map((each) => comparable(each, after)))),
    ])
    if (model === null) return []
    const where = describeModel(model)
    const why = `rule ${rule.id} no longer stops some texts${where === '' ? '' : `, for example where ${where}`}`
    return [{ what: `guardrail ${old.id}`, why, file: rule.file, line: rule.position.line }]
  })
}

/** A redaction that takes out other things is another one; what stops the text needs no comparing. */
function sameRedaction(was: readonly unknown[], is: readonly unknown[]): boolean {
  const redacts = (says: readonly unknown[]) => says.filter((each) => 'redact' in Object(each))
  return strengthOf(is) > 1 || canonicalJson(redacts(was)) === canonicalJson(redacts(is))
}

/** Connections whose columns changed that some constraint filters by. */
function relabelled(before: PlanSide, after: PlanSide): Weakening[] {
  const columns = new Set(
    constraintRules(after).flatMap(({ rule }) =>
      (rule.effects ?? []).flatMap((effect: Effect) =>
        'only' in effect ? Object.keys(effect.only.where) : [],
      ),
    ),
  )
  return before.workspace.environments.flatMap(({ name: environment, path: old }) => {
    const now = after.workspace.environments.find(({ name }) => name === environment)?.path
    const names = Object.keys(before.version.compiled.connections)
    return names.flatMap((name): Weakening[] => {
      const [was, is] = [old.columns(`${name}/x`), now?.columns(`${name}/x`)]
      if (is === undefined || is.provider === '') return []
      const changed = (['locality', 'region', 'provider'] as const).filter(
        (column) => columns.has(column) && was[column] !== is[column],
      )
      return changed.map((column) => ({
        what: `connection ${name}`,
        why: `${column} ${was[column] ?? 'unknown'} → ${is[column] ?? 'unknown'}${environment === '' ? '' : ` in ${environment}`}: constraints filter by it`,
        file: 'signalbox.yaml',
        line: 1,
      }))
    })
  })
}

/** Params whose value changes and that conditions of constraints read: which way is stricter nobody can tell. */
function movedParams(before: PlanSide, after: PlanSide): Weakening[] {
  const paramIn = (side: PlanSide, environment: string, name: string): unknown => {
    const declared = paramsOf(side.version.compiled)[name]
    return side.version.compiled.environments[environment]?.params[name] ?? declared?.default
  }
  return constraintRules(before).flatMap(({ policy, rule, applies }) => {
    const names = new Set(
      literalsOf(applies).flatMap(({ variable }) =>
        [...variable.matchAll(/param\W+([A-Za-z]\w*)/g)].map(([, name = '']) => name),
      ),
    )
    const environments = Object.keys({
      '': 0,
      ...before.version.compiled.environments,
      ...after.version.compiled.environments,
    })
    return [...names].flatMap((name) =>
      environments.flatMap((environment): Weakening[] => {
        const [was, is] = [paramIn(before, environment, name), paramIn(after, environment, name)]
        if (was === undefined || is === undefined || canonicalJson(was) === canonicalJson(is)) return []
        const at = environment === '' ? '' : ` in ${environment}`
        const why = `param ${name} ${canonicalJson(was)} → ${canonicalJson(is)}${at}, which its condition reads`
        return [{ what: `${policy.id}/${rule.id}`, why, file: rule.file, line: rule.position.line }]
      }),
    )
  })
}

/** A workspace that moves down the tree constrains fewer calls. */
function movedNode(before: PlanSide, after: PlanSide): Weakening[] {
  const [was, is] = [before.version.compiled.node, after.version.compiled.node]
  if (was === is || constraintRules(before).length === 0) return []
  if (was.startsWith(`${is}/`) || is === '') return []
  const why = `the workspace moves from ${was === '' ? 'the root' : was} to ${is}: its constraints hold for other calls`
  return [{ what: 'node', why, file: 'signalbox.yaml', line: 1 }]
}

/**
 * What the newer version forbids less than the older one. Says more rather than less: where it cannot be shown that a
 * constraint is as strict as it was, it is named.
 */
export function weakenings(before: PlanSide, after: PlanSide): Weakening[] {
  const found = [
    ...weakenedRules(before, after),
    ...relaxedErrors(before, after),
    ...weakenedGuardrails(before, after),
    ...relabelled(before, after),
    ...movedParams(before, after),
    ...movedNode(before, after),
  ]
  const known = new Map(found.map((each) => [`${each.what} ${each.why}`, each]))
  return [...known.values()]
}
