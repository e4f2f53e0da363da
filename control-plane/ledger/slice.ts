/** A window as a wish sees it. */
export interface Purse {
  readonly limit: bigint
  readonly settled: bigint
  readonly leased: bigint
  readonly stranded: bigint
  readonly overrun: bigint
}

/** Limit minus all that is spent, in somebody's hands, or lost with them. Below zero after the limit was lowered. */
export function availableOf({ limit, settled, leased, stranded }: Purse): bigint {
  return limit - settled - leased - stranded
}

/** What may be handed out: an overrun closes the window, and nothing below zero is there to give. */
export function grantableOf(purse: Purse): bigint {
  const available = availableOf(purse)
  return purse.overrun > 0n || available < 0n ? 0n : available
}

/**
 * How much a wish gets from what is grantable: as wanted, but no more than a fair share of it, so that one gateway does
 * not sit on what others need; near exhaustion exactly what the waiting call needs. Undefined where that is not there.
 */
export function sliceOf(
  wish: { readonly need: bigint; readonly want: bigint },
  grantable: bigint,
  liveGateways: number,
): bigint | undefined {
  if (grantable < wish.need) return undefined
  const share = grantable / BigInt(2 * Math.max(1, liveGateways))
  const wanted = wish.want < share ? wish.want : share
  return wanted > wish.need ? wanted : wish.need
}
