import { executableFeatures, type PlanFeature, planFeatures } from '@signalbox/sdk/contract'
import type { AnyNode } from 'acorn'
import { unsupportedMessage } from '../evaluation/plan-shape.ts'
import type { ProblemList } from './problem-list.ts'
import { apiName, type TsScope } from './ts-scope.ts'
import { walk } from './ts-source.ts'

/** Methods of a choice that ask for a feature of another name. */
const methods: Readonly<Record<string, PlanFeature>> = {
  mirror: 'mirror',
  onErrorClass: 'onErrorClass',
  cache: 'cache',
  fidelity: 'fidelity',
  obligation: 'obligations',
}
const makers = new Set(['use', ...planFeatures])

/** Whether a chain of method calls begins with a builder of a plan: `use(…).fallback(…)`. */
function beginsWithBuilder(node: AnyNode, scope: TsScope): boolean {
  if (node.type !== 'CallExpression') return false
  if (makers.has(apiName(node.callee, scope) ?? '')) return true
  return node.callee.type === 'MemberExpression' && beginsWithBuilder(node.callee.object, scope)
}

/** The feature that a call asks the gateway for, and where that stands. */
function featureOf(node: AnyNode, scope: TsScope): { feature: PlanFeature; at: AnyNode } | undefined {
  if (node.type !== 'CallExpression') return undefined
  const { callee } = node
  const api = planFeatures.find((name) => name === apiName(callee, scope))
  if (api !== undefined) return { feature: api, at: callee }
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return undefined
  const { name } = callee.property
  const feature = Object.hasOwn(methods, name) ? methods[name] : undefined
  return feature !== undefined && beginsWithBuilder(callee.object, scope)
    ? { feature, at: callee.property }
    : undefined
}

/** Reports builders whose plans the gateway of this release cannot carry out, where they are called. */
export function reportUnsupportedBuilders(scope: TsScope, problems: ProblemList): void {
  const { source } = scope
  walk(source.program, (node) => {
    const found = featureOf(node, scope)
    if (found === undefined || executableFeatures.includes(found.feature)) return true
    const message = unsupportedMessage(found.feature, executableFeatures)
    problems.add(source.file, source.at(found.at), { code: 'unsupported_strategy', message })
    return true
  })
}
