import { serveCached } from '../cache/serve-cached.ts'
import { estimateCount } from '../count-tokens.ts'
import type { Incoming } from '../incoming.ts'
import type { GatewayParts } from '../parts.ts'
import type { Trail } from '../trail.ts'
import type { AllowedCall } from '../way.ts'
import { callGuards } from './call-guards.ts'
import { decline } from './decline.ts'
import type { GuardScope } from './guard.ts'

/**
 * Serves a call under the guardrails that its decision demands: those of the input come before any upstream is asked.
 * A call that has none goes on at once.
 * @throws Refusal where one of them stops it.
 */
export function serveGuarded(
  { served, scope }: { readonly served: AllowedCall; readonly scope: GuardScope },
  incoming: Incoming,
  trail: Trail,
  parts: GatewayParts,
): Promise<void> {
  const { input, output } = served.decision.guardrails
  if (input.length === 0 && output.length === 0) return serve(served, { incoming, trail, parts })
  return screenAndServe(served, scope, { incoming, trail, parts })
}

interface Around {
  readonly incoming: Incoming
  readonly trail: Trail
  readonly parts: GatewayParts
}

async function screenAndServe(served: AllowedCall, scope: GuardScope, around: Around): Promise<void> {
  const { incoming, trail, parts } = around
  const { call, selected } = served
  const targets = selected.order.map(({ target }) => target.name)
  const guards = callGuards({ call, trail, parts, scope, targets }, served.decision)
  if (guards === undefined) return serve(served, around)
  trail.later = () => guards.finish()
  const screened = await guards.screenCall(incoming.dialect)
  if ('stop' in screened) return decline(screened.stop, served, around)
  guards.checkStream()
  return serve({ ...served, call: screened.call, guards }, around)
}

async function serve(served: AllowedCall, { incoming, trail, parts }: Around): Promise<void> {
  if (estimateCount(served, incoming, trail)) return
  await serveCached(served, incoming, trail, parts)
}
