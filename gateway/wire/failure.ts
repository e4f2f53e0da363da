import type { UpstreamFailure } from '../provider.ts'

/**
 * What a status alone says. Wrong keys, missing models and empty accounts are ours to bridge, not the
 * caller's.
 */
export function classifyStatus(status: number): Pick<UpstreamFailure, 'errorClass' | 'fallback'> {
  if (status === 429) return { errorClass: 'rateLimit', fallback: true }
  if (status === 503 || status === 529) return { errorClass: 'overload', fallback: true }
  if (status === 408 || status === 504) return { errorClass: 'timeout', fallback: true }
  if (status === 413) return { errorClass: 'contextWindow', fallback: true }
  const isOurs = status === 401 || status === 402 || status === 403 || status === 404 || status === 409
  if (isOurs || status >= 500) return { errorClass: 'unavailable', fallback: true }
  return { errorClass: 'invalid', fallback: false }
}
