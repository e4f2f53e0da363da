import { type Drill, type DrillFault, drillFaults, Refusal } from '@signalbox/sdk/contract'

const targetsMax = 16

/**
 * Reads `x-signalbox-drill`: `500`, or `stall; targets=2`.
 * @throws Refusal `invalid_request` for anything else.
 */
export function readDrill(header: string): Drill {
  const [, name, count = '1'] = /^\s*([a-z0-9]+)\s*(?:;\s*targets=(\d{1,2})\s*)?$/.exec(header) ?? []
  const fault = drillFaults.find((each): each is DrillFault => each === name)
  const targets = Number(count)
  if (fault !== undefined && targets >= 1 && targets <= targetsMax) return { fault, targets }
  throw new Refusal('invalid_request', {
    message:
      `The header x-signalbox-drill must be one of ${drillFaults.join(', ')}, ` +
      `with \`; targets=N\` (1 to ${targetsMax}) behind it for more than the first target.`,
    param: 'x-signalbox-drill',
  })
}
