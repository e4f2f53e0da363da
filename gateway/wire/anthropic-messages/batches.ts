import type { StoredCollection } from '../stored-collection.ts'

/** Batches of messages, kept by Anthropic. Source: API reference, Message Batches. */
export const messageBatches: StoredCollection = {
  name: 'batches',
  operation: 'batches',
  dialect: 'anthropic-messages',
  format: 'anthropic-messages',
  shape: /^((?:\/anthropic)?\/v1\/messages)\/batches(?:\/([^/?#]*))?(\/[a-z]+)?(?:\?(.*))?$/s,
  root: () => '/v1/messages/batches',
  required: { requests: 'array' },
  job: 'anthropic',
  headers: ['anthropic-version', 'anthropic-beta'],
}
