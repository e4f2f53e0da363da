import type { Facts } from '@signalbox/sdk/contract'

/** A document with only the members that differ; lists are given whole. */
export type PartialDocument<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [Name in keyof T]?: PartialDocument<T[Name]> | undefined }
    : T

const nobody = '00000000-0000-7000-8000-000000000000'
const base: Facts = {
  schema: 'facts/1',
  phase: 'route',
  nowMs: 1_767_225_600_000,
  seed: 0,
  environment: { name: 'development', region: '' },
  request: {
    id: nobody,
    operation: 'chat',
    dialect: 'openai-chat',
    route: '',
    stream: false,
    model: { requested: 'openai/gpt-5-mini', targets: ['openai/gpt-5-mini'], tier: 'unknown' },
    params: {},
    messages: { count: 1, chars: 100, hasSystem: false, hasImages: false, lastRole: 'user' },
    tools: { count: 0, names: [] },
    estimate: { inputTokens: 25, outputTokens: 100 },
    bytes: 200,
    metadata: {},
  },
  subject: {
    organisationId: nobody,
    keyId: nobody,
    keyName: 'test',
    node: { id: nobody, path: [] },
    auth: 'key',
  },
  data: { detectors: {}, detectorErrors: [] },
  budget: { levels: [], asOfMs: 1_767_225_600_000, degraded: false },
  models: [],
  degraded: false,
  truncated: [],
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Lays one document over another: objects member by member, all else as a whole. */
export function overlay(under: unknown, over: unknown): unknown {
  if (over === undefined) return structuredClone(under)
  if (!isObject(under) || !isObject(over)) return structuredClone(over)
  const merged: Record<string, unknown> = { ...under }
  for (const [name, value] of Object.entries(over)) {
    merged[name] = overlay(Object.hasOwn(under, name) ? under[name] : undefined, value)
  }
  return structuredClone(merged)
}

/** Facts of a short chat by nobody in particular, a valid `facts/1` document, with what is given laid over it. */
export function baseFacts(over: PartialDocument<Facts> = {}): Facts {
  // Every member of `over` is one of the facts.
  return overlay(base, over) as Facts
}
