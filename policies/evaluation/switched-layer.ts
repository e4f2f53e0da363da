import { knownAnswersLimits, type Layer, type LayerPolicy } from './layer.ts'
import { Memo } from './memo.ts'
import { PolicyIndex } from './policy-index.ts'

/** A layer that does not ask some of its policies; the layer itself where it has none of them. */
export function withoutPolicies(
  layer: Layer,
  without: readonly { readonly workspace: string; readonly policy: string }[],
): Layer {
  const off = new Set(without.flatMap((each) => (each.workspace === layer.workspace ? [each.policy] : [])))
  const isAsked = ({ id }: LayerPolicy): boolean => !off.has(id)
  const [constraints, routes] = [layer.constraints.filter(isAsked), layer.routes.filter(isAsked)]
  if (constraints.length + routes.length === layer.constraints.length + layer.routes.length) return layer
  return {
    ...layer,
    ...{ constraints, routes, index: new PolicyIndex([...constraints, ...routes]) },
    // Answers are kept by numbers of the index, and this one counts by itself.
    known: { answers: new Memo(knownAnswersLimits), said: new Memo(knownAnswersLimits), count: 0 },
  }
}
