import { CallRecord } from '@signalbox/sdk/contract'
import { violationsOf } from '@signalbox/sdk/node'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import type { Snapshot } from '../../gateway/snapshot.ts'
import { connectionOf, type MemorySnapshotOptions, memorySnapshot } from '../support/memory-snapshot.ts'
import { type GatewayOptions, type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts'

/** A gateway between the test and two scripted upstreams; new for each test file. */
export interface Line {
  gateway: RunningGateway
  /** Behind the connections `openai` and `anthropic`. */
  upstream: ScriptedUpstream
  /** Behind the connection `spare`. */
  spare: ScriptedUpstream
  /** A snapshot with these connections. */
  snapshotOf(options?: MemorySnapshotOptions): Snapshot
}

/** What callers ask in these tests. */
export const question = { messages: [{ role: 'user', content: 'Hello' }] }
export const chat = { model: 'openai/gpt-5.2', ...question }
export const messages = { model: 'anthropic/claude-sonnet-4-5', max_tokens: 100, ...question }

/** Builds the line before the tests of a file and takes it down after them. */
export function buildLine(options: GatewayOptions = {}, snapshot: MemorySnapshotOptions = {}): Line {
  const line = {} as Line
  line.snapshotOf = (more = {}) =>
    memorySnapshot({
      connections: [
        connectionOf('openai', { baseUrl: `${line.upstream.url}/v1` }),
        connectionOf('anthropic', { baseUrl: line.upstream.url }),
        connectionOf('spare', { baseUrl: `${line.spare.url}/v1` }),
        connectionOf('closed', { baseUrl: 'http://127.0.0.1:1/v1' }),
      ],
      ...snapshot,
      ...more,
    })
  beforeAll(async () => {
    line.upstream = await startScriptedUpstream()
    line.spare = await startScriptedUpstream()
    line.gateway = await startGateway({ snapshot: line.snapshotOf(), ...options })
  })
  afterEach(() => {
    // Whatever way a call took, its record is one that the contract knows.
    for (const record of line.gateway.records) expect(violationsOf(CallRecord, record)).toEqual([])
    line.gateway.records.length = 0
    // A test is about its own faults, not about those of the one before.
    line.gateway.health.clear()
    line.gateway.snapshot = line.snapshotOf()
  })
  afterAll(async () => {
    await line.gateway.close()
    await line.upstream.close()
    await line.spare.close()
  })
  return line
}
