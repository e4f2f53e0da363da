import { zstdCompressSync } from 'node:zlib'
import type { CallRecord, GapRecord } from '@signalbox/sdk/contract'
import { digestOf } from '@signalbox/sdk/node'
import { v7 as newId } from 'uuid'

export type Line = CallRecord | GapRecord
export const incarnation = '01990000-0000-7000-8000-00000000000a'

/** A whole record of an allowed call, as a gateway writes it. */
export function callRecord(
  row: Partial<CallRecord['row']> = {},
  body: Partial<CallRecord['body']> = {},
): CallRecord {
  return {
    row: {
      id: newId(),
      organisationId: '01990000-0000-7000-8000-0000000000ff',
      environment: 'elsewhere',
      gatewayId: '01990000-0000-7000-8000-0000000000fe',
      incarnation,
      sequence: 1,
      timeMs: Date.now(),
      durationMs: 12.5,
      operation: 'chat',
      dialect: 'openai-chat',
      stream: false,
      modelRequested: 'smart',
      target: 'openai/gpt-5.5',
      provider: 'openai',
      policy: 'pick',
      rule: 'polish',
      effect: 'allow',
      status: 200,
      truncated: false,
      attempts: 1,
      usage: { input: 10, output: 5, cacheRead: 2 },
      evidence: 'reported',
      costNanoUsd: '1234500',
      metadata: { feature: 'polish' },
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      cache: 'off',
      identity: true,
      assembled: false,
      ...row,
    },
    body: {
      factsClass: 'digest',
      policies: [],
      fuel: 12,
      evaluationUs: 41,
      attempts: [],
      verdicts: [],
      dropped: [],
      undeclaredMetadata: [],
      text: { received: 100, delivered: 100 },
      ...body,
    },
  }
}

export function gapRecord(from: number, to: number): GapRecord {
  return { gap: { incarnation, from, to, reason: 'overflow' } }
}

/** Packs lines as a gateway uploads them. */
export function packSegment(lines: readonly (Line | string)[]): { bytes: Buffer; digest: string } {
  const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('')
  const bytes = zstdCompressSync(Buffer.from(text, 'utf8'))
  return { bytes, digest: digestOf(bytes) }
}
