import type { Evaluation } from '../program.ts'

/** The policy and rule that had the last word. */
export type Decisive = { readonly policy: string | undefined; readonly rule: string | undefined }
/** Calls that are decided alike share their evaluation's parts, so this is worked out once for them. */
const knownDecisive = new WeakMap<Evaluation['policies'], Decisive>()

function findDecisive({ decision, policies, failure }: Evaluation): Decisive {
  if (decision.effect === 'deny') {
    const { reasons } = decision
    const eliminating = reasons[0]?.code === 'NO_ELIGIBLE_MODEL' ? reasons[1] : undefined
    const named = eliminating ?? reasons.find(({ policy }) => policy !== '')
    return { policy: (named?.policy ?? failure?.policy) || undefined, rule: named?.rule || undefined }
  }
  const routes = policies.filter(({ kind }) => kind === 'route')
  const route =
    routes.find(({ outcome }) => outcome === 'chosen') ?? routes.find(({ outcome }) => outcome === 'failed')
  return { policy: route?.id, rule: route?.rule ?? undefined }
}

/**
 * The policy and rule that had the last word: of a denial the one whose reason stands first, and where constraints left
 * nothing the first that took something away; else the route that chose, or whose safe route was taken.
 */
export function decisiveRule(evaluation: Evaluation): Decisive {
  let known = knownDecisive.get(evaluation.policies)
  if (known === undefined) {
    known = findDecisive(evaluation)
    knownDecisive.set(evaluation.policies, known)
  }
  return known
}
