import type { Caps, ChoiceMembers, Decision, Effect, PlanNode } from '@signalbox/sdk/contract'
import type { LayerPath, NameScope } from './layer-path.ts'
import { clampPatches, keepTargets } from './plan-tree.ts'

type ErrorClasses = NonNullable<Decision['onErrorClass']>
/** What a choice says beside its plan, as the decision has it. */
export type Beside = Partial<
  Pick<
    Decision,
    | 'variant'
    | 'annotations'
    | 'caps'
    | 'cache'
    | 'semanticCache'
    | 'fidelity'
    | 'mirror'
    | 'onErrorClass'
    | 'obligations'
  >
>

function mapClasses(classes: ErrorClasses, change: (node: PlanNode) => PlanNode | null): ErrorClasses {
  const changed = Object.entries(classes).flatMap(([name, node]) => {
    const next = node === undefined ? null : change(node)
    return next === null ? [] : [[name, next] as const]
  })
  return Object.fromEntries(changed)
}

/** What a choice says beside its plan, its names replaced by targets; one that means nothing is left out. */
export function besideOf(effect: Effect, path: LayerPath, scope: NameScope): Beside {
  const said: ChoiceMembers = 'use' in effect ? effect.use : 'plan' in effect ? effect : {}
  const { variant, annotate, caps, cache, semanticCache, fidelity, mirror, onErrorClass, obligations } = said
  const embedder = semanticCache === undefined ? undefined : path.targets(semanticCache.model)?.[0]
  const copy = mirror === undefined ? undefined : path.targets(mirror)?.[0]
  return {
    ...(variant !== undefined && { variant }),
    ...(annotate !== undefined && { annotations: annotate }),
    ...(caps !== undefined && { caps }),
    ...(cache !== undefined && { cache }),
    ...(semanticCache !== undefined &&
      embedder !== undefined && { semanticCache: { ...semanticCache, model: embedder } }),
    ...(fidelity !== undefined && { fidelity }),
    ...(copy !== undefined && { mirror: copy }),
    ...(onErrorClass !== undefined && {
      onErrorClass: mapClasses(onErrorClass, (plan) => path.plan({ plan }, scope)),
    }),
    ...(obligations !== undefined && { obligations }),
  }
}

/**
 * The same inside what the constraints leave: no copy to a target, no text to embed, and no plan, that they take away.
 */
export function clampBeside(beside: Beside, caps: Caps, isAllowed: (target: string) => boolean): Beside {
  const { mirror, semanticCache, onErrorClass, ...others } = beside
  const clamp = (node: PlanNode): PlanNode | null => {
    const kept = keepTargets(node, isAllowed)
    return kept === null ? null : clampPatches(kept, caps)
  }
  return {
    ...others,
    ...(mirror !== undefined && isAllowed(mirror) && { mirror }),
    ...(semanticCache !== undefined && isAllowed(semanticCache.model) && { semanticCache }),
    ...(onErrorClass !== undefined && { onErrorClass: mapClasses(onErrorClass, clamp) }),
  }
}
