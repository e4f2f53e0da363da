import type { Caps, Effect, ModelFilter } from '@signalbox/sdk/contract'

const listOf = (wanted: string | readonly string[]): readonly string[] =>
  typeof wanted === 'string' ? [wanted] : wanted

/** Whether a filter lets through no target that the other one does not. */
function isNarrowerFilter(filter: ModelFilter, than: ModelFilter): boolean {
  return Object.entries(than).every(([column, wanted]) => {
    const own = filter[column as keyof ModelFilter]
    if (wanted === undefined) return true
    if (typeof wanted === 'number') return typeof own === 'number' && own >= wanted
    if (typeof own === 'number') return false
    return own !== undefined && listOf(own).every((value) => listOf(wanted).includes(value))
  })
}

function isLowerCap(caps: Caps, than: Caps): boolean {
  return Object.entries(than).every(([name, limit]) => {
    const own = caps[name as keyof Caps]
    return limit === undefined || (own !== undefined && own <= limit)
  })
}

/** Whether what one effect forbids, the other forbids too. */
function covers(effect: Effect, wanted: Effect): boolean {
  if ('deny' in effect) return true
  if ('only' in wanted) return 'only' in effect && isNarrowerFilter(effect.only.where, wanted.only.where)
  if ('cap' in wanted) return 'cap' in effect && isLowerCap(effect.cap, wanted.cap)
  if (!('requireGuard' in wanted)) return !('deny' in wanted)
  if (!('requireGuard' in effect)) return false
  const { id, direction, onError = 'block' } = effect.requireGuard
  const guard = wanted.requireGuard
  return id === guard.id && direction === guard.direction && (onError === 'block' || guard.onError === 'pass')
}

/** Effects of constraints that are not forbidden by others any more. */
export function uncovered(wanted: readonly Effect[], effects: readonly Effect[]): Effect[] {
  return wanted.filter((each) => !effects.some((effect) => covers(effect, each)))
}
