import { createHmac, randomBytes } from 'node:crypto'

const prefix = 'whsec_'

/** A new secret: 24 random bytes, as https://www.standardwebhooks.com writes them. */
export function createWebhookSecret(): string {
  return `${prefix}${randomBytes(24).toString('base64')}`
}

/**
 * The headers that prove where a message is from, after the specification of Standard Webhooks: HMAC-SHA256 over
 * `id.timestamp.body`. Whoever verifies it refuses times that are minutes away, so that nothing can be played again.
 */
export function signWebhook(
  secret: string,
  message: { readonly id: string; readonly timeMs: number; readonly body: string },
): Record<string, string> {
  const timestamp = String(Math.floor(message.timeMs / 1000))
  const key = Buffer.from(secret.slice(prefix.length), 'base64')
  const signed = `${message.id}.${timestamp}.${message.body}`
  const signature = createHmac('sha256', key).update(signed).digest('base64')
  return {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  }
}
