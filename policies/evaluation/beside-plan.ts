import type { Caps, ChoiceMembers, Decision, Effect, PlanNode } from '@signalbox/sdk/contract'
import type { LayerPath, NameScope } from './layer-path.ts'
import { clampPatches, keepTargets } from './plan-tree.ts'

type ErrorClasses = NonNullable<Decision['onErrorClass']>
/** What a choice says beside its plan, as the decision has it. */
export type Beside = Partial<
  Pick<
    Decision,
    'variant' | 'annotations' | 'caps' | 'cache' | 'fidelity' | 'mirror' | 'onErrorClass' | 'obligations'
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
  const { variant, annotate, caps, cache, fidelity, mirror, onErrorClass, obligations } = said
  const copy = mirror === undefined ? undefined : path.targets(mirror)?.[0]
  return {
    ...(variant !== undefined && { variant }),
    ...(annotate !== undefined && { annotations: annotate }),
    ...(caps !== undefined && { caps }),
    ...(cache !== undefined && { cache }),
    ...(fidelity !== undefined && { fidelity }),
    ...(copy !== undefined && { mirror: copy }),
    ...(onErrorClass !== undefined && {
      onErrorClass: mapClasses(onErrorClass, (plan) => path.plan({ plan }, scope)),
    }),
    ...(obligations !== undefined && { obligations }),
  }
}

/** The same inside what the constraints leave: no copy to a target, and no plan, that they take away. */
export function clampBeside(beside: Beside, caps: Caps, isAllowed: (target: string) => boolean): Beside {
  const { mirror, onErrorClass, ...others } = beside
  const clamp = (node: PlanNode): PlanNode | null => {
    const kept = keepTargets(node, isAllowed)
    return kept === null ? null : clampPatches(kept, caps)
  }
  return {
    ...others,
    ...(mirror !== undefined && isAllowed(mirror) && { mirror }),
    ...(onErrorClass !== undefined && { onErrorClass: mapClasses(onErrorClass, clamp) }),
  }
}
