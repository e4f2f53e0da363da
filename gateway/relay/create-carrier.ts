import type { Call } from '../call.ts'
import type { Dialect } from '../dialect.ts'
import { observed } from '../guardrails/observed-carrier.ts'
import type { Meter } from '../meter.ts'
import type { Provider, UpstreamRequest } from '../provider.ts'
import type { Screen } from '../screen.ts'
import { ArrayFraming } from './array-framing.ts'
import type { Carrier } from './carrier.ts'
import { PassThrough } from './pass-through.ts'
import { Translation } from './translation.ts'

/** What a carrier stands between. */
export interface CarrierInput {
  readonly request: UpstreamRequest
  readonly provider: Provider
  readonly dialect: Dialect
  readonly call: Call
  readonly screen: Screen
  readonly recordId: string
  readonly nowMs: number
}

/** What a stream's frames go through. */
export function createCarrier(input: CarrierInput, meter: Meter): Carrier {
  const carrier = createEventCarrier(input, meter)
  return input.call.asArray === true ? new ArrayFraming(carrier) : carrier
}

function createEventCarrier(input: CarrierInput, meter: Meter): Carrier {
  const { request, provider, dialect, call, screen, nowMs } = input
  if (request.identity && screen.active !== true) {
    const passed = new PassThrough(provider.createReader(request), meter, dialect)
    return screen.seen === undefined ? passed : observed(passed, provider.createDecoder(), screen.seen)
  }
  const encoder = dialect.createEncoder(call, nowMs)
  return new Translation(provider.createDecoder(), encoder, {
    meter,
    screen,
    dialect,
    id: input.recordId,
    model: call.model,
  })
}
