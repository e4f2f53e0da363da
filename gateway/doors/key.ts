import type { Limits, LimitView } from '../limits/limits.ts'
import { usedOf, viewsOf } from '../money/budget-levels.ts'
import { budgetsOf } from '../money/call-budgets.ts'
import type { Money } from '../money/money.ts'
import type { Snapshot } from '../snapshot.ts'
import type { Caller } from '../steps/authenticate.ts'

/** `used` and what follows from it are null where they depend on the call: where each value is counted by itself. */
function describeLimit({ limit: { id, owner, limit, ...rest }, view }: LimitView): object {
  return {
    ...{ id, owner: owner.kind, ...rest, limit },
    used: view?.used ?? null,
    remaining: view === undefined ? null : Math.max(0, limit - view.used),
    resetsAtMs: view?.endMs === undefined ? null : Math.ceil(view.endMs),
  }
}

/**
 * What the holder of a key may know of it: where it hangs, until when it works and for what, whether its holder may go
 * past an absent gateway, and the limits and budgets it is under with what is left of them. Amounts are nano-dollars or
 * tokens, as decimal strings; null where the ledger was not asked yet.
 */
export function describeKey(
  { key, place }: Caller,
  snapshot: Snapshot,
  { money, limits }: { readonly money: Money; readonly limits: Limits },
): object {
  const budgets = budgetsOf(snapshot, key)
  const views = new Map(viewsOf(budgets, money).map((view) => [view.budget.id, view]))
  return {
    id: key.id,
    name: key.name,
    node: { id: place.node.id, path: place.path },
    environment: snapshot.release.environment,
    expiresMs: key.expiresMs,
    scopes: key.scopes ?? {},
    direct: key.scopes?.direct === true,
    limits: limits.viewsOf(snapshot, key).map(describeLimit),
    budgets: budgets.flatMap((set) =>
      set.budgets.map(({ id, owner, window, unit, mode }) => {
        const view = views.get(id)
        const { settled, reserved } =
          view === undefined ? { settled: null, reserved: null } : usedOf(view.window)
        return {
          ...{ id, owner: owner.kind, window, unit, mode },
          limit: view?.window.limit ?? null,
          used: settled === null ? null : String(settled),
          reserved: reserved === null ? null : String(reserved),
          remaining: view === undefined ? null : String(view.remaining),
          resetsAtMs: view?.window.endMs ?? null,
        }
      }),
    ),
  }
}
