import { Refusal } from '@signalbox/sdk/contract'
import type { WebSocket } from 'ws'
import { credentialOf } from '../credentials/credential-of.ts'
import type { GatewayParts } from '../parts.ts'
import { settleAttempt } from '../steps/settle.ts'
import { baseUrlOf, type Target } from '../targets.ts'
import { beginAttempt, type Trail } from '../trail.ts'
import { openWebSocket, SessionRefused } from '../upstream/open-web-socket.ts'
import type { SessionPlan } from './session-plan.ts'
import { TurnHolds } from './turn-holds.ts'

/** A session that an upstream has opened. */
export interface ConnectedSession {
  readonly socket: WebSocket
  readonly target: Target
  /** With the money of its first turn. */
  readonly holds: TurnHolds
}

/** Where a session of the target is opened. Throws a Refusal where there is none. */
async function speakerOf(
  { connection, provider }: Target,
  { accessTokens }: GatewayParts,
): Promise<{ baseUrl: string; headers: Record<string, string> }> {
  const speaker = provider.format === 'openai-chat' ? provider : provider.otherFormats?.['openai-chat']
  if (speaker === undefined || connection.status === 'simulated') {
    throw new Refusal('unsupported_feature', {
      message: "The chosen model's provider has no realtime sessions.",
    })
  }
  const baseUrl = baseUrlOf(connection, speaker)
  if (baseUrl === undefined) throw new Refusal('upstream_unavailable')
  const credential = await credentialOf({ provider: speaker, connection }, accessTokens)
  return { baseUrl, headers: { ...speaker.authenticate(credential) } }
}

/**
 * Opens the session at the first target that will have it.
 * @throws Refusal of the last one where none will.
 */
export async function connectSession(
  plan: SessionPlan,
  trail: Trail,
  parts: GatewayParts,
): Promise<ConnectedSession> {
  let refusal = new Refusal('upstream_unavailable')
  for (const planned of plan.order) {
    const { target } = planned
    const holds = new TurnHolds(trail, planned, plan.decided, parts)
    const attempt = beginAttempt(trail, target, parts.clock())
    attempt.billing = 'reported'
    try {
      const { baseUrl, headers } = await speakerOf(target, parts)
      await holds.prepare()
      const beta = plan.headers['openai-beta']
      if (typeof beta === 'string') headers['openai-beta'] = beta
      const path = `/realtime?model=${encodeURIComponent(target.model)}`
      const socket = await openWebSocket({
        baseUrl,
        ca: target.connection.ca,
        path,
        headers,
        connectMs: parts.attemptDefaults.connectMs,
      })
      attempt.winner = true
      attempt.outcome = 'ok'
      attempt.status = 101
      return { socket, target, holds }
    } catch (error) {
      holds.close()
      if (!(error instanceof Refusal)) throw error
      refusal = error
      attempt.status = error instanceof SessionRefused ? (error.upstreamStatus ?? 0) : 0
      attempt.outcome = error.code === 'upstream_error' ? 'error' : 'unavailable'
      attempt.errorCode = error.code
    } finally {
      attempt.endMs = parts.clock()
      settleAttempt(attempt, 0)
    }
  }
  throw refusal
}
