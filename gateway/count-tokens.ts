import type { Call } from './call.ts'
import type { Incoming } from './incoming.ts'
import { speaking } from './targets.ts'
import type { Trail } from './trail.ts'
import type { AllowedCall } from './way.ts'

/**
 * Answers a call that asks for its input tokens alone with an estimate, and says so in `x-signalbox-estimated`. False
 * where the target that the policies chose can count them itself: it speaks the caller's format and is there.
 */
export function estimateCount(allowed: AllowedCall, { writer }: Incoming, trail: Trail): boolean {
  if (allowed.call.counts !== true || isCounted(allowed)) return false
  trail.status = 200
  const headers = ['content-type', 'application/json', 'x-signalbox-estimated', 'true']
  writer.send(200, headers, JSON.stringify({ totalTokens: allowed.inputTokens }))
  return true
}

function isCounted({ selected, call }: AllowedCall): boolean {
  const [first] = selected.order
  // With no target left the call is refused like any other.
  if (first === undefined) return true
  return first.target.connection.status !== 'simulated' && counts(first.target, call)
}

function counts(target: Parameters<typeof speaking>[0], call: Call): boolean {
  return speaking(target, call.format).provider.format === call.format
}
