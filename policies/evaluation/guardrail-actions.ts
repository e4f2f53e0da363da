import {
  type GuardrailAction,
  type GuardrailActionName,
  GuardrailActions,
  guardrailActionNames,
} from '@signalbox/sdk/contract'
import type { EffectFinding, SchemaCheck } from './effect-finding.ts'

/** The name of an action: the first known member. */
export function actionName(action: unknown): GuardrailActionName | undefined {
  return guardrailActionNames.find((name) => Object.hasOwn(Object(action), name))
}

/** The code of an action. */
export function codeOf(action: GuardrailAction): string {
  if ('block' in action) return action.block.code
  if ('refuse' in action) return action.refuse.code
  return 'redact' in action ? action.redact.code : action.flag.code
}

/** How strong an action is; 0 is the strongest. */
export function rankOf(action: GuardrailAction): number {
  return guardrailActionNames.findIndex((name) => name in action)
}

function checkAction(action: unknown, check: SchemaCheck): readonly EffectFinding[] {
  const name = actionName(action)
  if (name !== undefined) return check(GuardrailActions[name], action)
  const message = `a guardrail says ${guardrailActionNames.map((each) => `{ "${each}": … }`).join(', ')}`
  return [{ code: 'effect', message, path: [], part: 'value' }]
}

/** All that is wrong with what a rule of a guardrail says. Paths begin with the index of the action. */
export function checkActions(actions: readonly unknown[], check: SchemaCheck): EffectFinding[] {
  return actions.flatMap((action, index) =>
    checkAction(action, check).map((finding) => ({ ...finding, path: [index, ...finding.path] })),
  )
}
