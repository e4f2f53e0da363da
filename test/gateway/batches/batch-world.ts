import type { CallRecord, StateBudget } from '@signalbox/sdk/contract'
import { createSealKeyPair } from '@signalbox/sdk/node'
import { v7 as newId } from 'uuid'
import { ControlPlaneOwners } from '../../../gateway/control-plane-owners.ts'
import { ControlPlaneLink } from '../../../gateway/documents/control-plane-link.ts'
import { type AccessPlane, startAccessPlane } from '../../control-plane/access-plane.ts'
import { packSegment } from '../../control-plane/segment-lines.ts'
import { type BatchUpstream, startBatchUpstream } from '../../support/batch-upstream.ts'
import { createTestDatabase } from '../../support/database.ts'
import {
  connectionOf,
  type MemorySnapshotOptions,
  memoryKey,
  memorySnapshot,
} from '../../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../../support/running-gateway.ts'

/** A team with a budget at a real control plane, and gateways that are asked in its name. */
export interface BatchTeam {
  readonly budgetId: string
  /** A gateway of the environment; each time a new one, with a life of its own. */
  gateway(options?: MemorySnapshotOptions): Promise<RunningGateway>
  /** Sums of the budget's running window, in nano-dollars. */
  sums(): Promise<Record<'settled' | 'leased' | 'stranded' | 'overrun', number>>
}
export interface BatchWorld {
  readonly plane: AccessPlane
  readonly upstream: BatchUpstream
  /** Records of the lines of a batch, whichever gateway made them. */
  lines(providerId: string): CallRecord[]
  /** Has the control plane take records in. */
  ingest(records: readonly CallRecord[]): Promise<void>
  /** Lets time pass by the database's clock, so that jobs are due. */
  pass(ms?: number): void
  team(name: string, limit: bigint, mode?: StateBudget['mode']): Promise<BatchTeam>
  closeGateways(): Promise<void>
  close(): Promise<void>
}

/** A control plane on a real database, and a provider that works on batches. */
export async function startBatchWorld(): Promise<BatchWorld> {
  const plane = await startAccessPlane(await createTestDatabase())
  const upstream = await startBatchUpstream()
  const closing: (() => Promise<void>)[] = []
  const gateways: RunningGateway[] = []
  const tokens: string[] = []
  const { publicKey } = await createSealKeyPair()

  async function enrolled() {
    const { token } = await plane.client.enrollGateway({ environment: 'development' })
    tokens.push(token)
    const link = new ControlPlaneLink({ url: plane.url, token })
    const incarnation = newId()
    await link.hello({ incarnation, publicKey, software: 'test/1' }, AbortSignal.timeout(5000))
    return { link, incarnation }
  }

  async function closeGateways(): Promise<void> {
    await Promise.all(closing.splice(0).map((each) => each()))
  }

  async function team(name: string, limit: bigint, mode: StateBudget['mode'] = 'hard'): Promise<BatchTeam> {
    const { id } = await plane.client.createTeam({ name })
    const apiKey = await plane.client.createKey({ team: id, name: 'ci' })
    const wanted = { team: name, window: 'total', mode, limit: String(limit) } as const
    const { id: budgetId } = await plane.client.setBudget(wanted)
    const owner = { kind: 'node', id } as const
    const budget: StateBudget = { id: budgetId, owner, window: 'total', unit: 'usd', mode }
    return {
      budgetId,
      async gateway(options = {}) {
        const { link, incarnation } = await enrolled()
        const base = memorySnapshot({
          connections: [
            connectionOf('openai', { baseUrl: `${upstream.url}/v1` }),
            connectionOf('anthropic', { baseUrl: upstream.url }),
          ],
          budgets: [budget],
          ...options,
        })
        const node = { id, parentId: 'org-1', kind: 'team', name } as const
        const gateway = await startGateway({
          snapshot: {
            ...base,
            nodes: new Map([...base.nodes, [id, node]]),
            findKey(hash) {
              const row = base.findKey(hash)
              return typeof row === 'object' ? { ...row, id: apiKey.id, node: id } : row
            },
          },
          ...{ ledger: link, batchLink: link, incarnation, owners: new ControlPlaneOwners(link) },
        })
        gateways.push(gateway)
        closing.push(async () => {
          await gateway.close()
          await link.close()
        })
        return gateway
      },
      async sums() {
        const { current } = await plane.client.getBudget({ id: budgetId })
        const { settled = '0', leased = '0', stranded = '0', overrun = '0' } = current ?? {}
        return {
          ...{ settled: Number(settled), leased: Number(leased) },
          ...{ stranded: Number(stranded), overrun: Number(overrun) },
        }
      },
    }
  }
  return {
    plane,
    upstream,
    team,
    lines: (providerId) => {
      const all = gateways.flatMap(({ records }) => records)
      return all.filter(({ body }) => body.batch?.providerId === providerId)
    },
    async ingest(records) {
      const { bytes, digest } = packSegment([...records])
      const path = `/v1/gateway/segments/${encodeURIComponent(digest)}`
      const query = new URLSearchParams({ incarnation: newId(), records: String(records.length) })
      const headers = {
        authorization: `Bearer ${tokens.at(-1)}`,
        'content-type': 'application/octet-stream',
      }
      const body = new Uint8Array(bytes)
      const sent = await fetch(`${plane.url}${path}?${query}`, { method: 'PUT', headers, body })
      if (!sent.ok) throw new Error(await sent.text())
    },
    pass(ms = 60_000) {
      plane.clock.offsetMs += ms
    },
    closeGateways,
    async close() {
      await closeGateways()
      await upstream.close()
      await plane.stop()
    },
  }
}

/** A line of an OpenAI batch. */
export const chatLine = (id: string, body: object = {}): object => ({
  custom_id: id,
  method: 'POST',
  url: '/v1/chat/completions',
  body: { model: 'gpt-5.2', max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }], ...body },
})

/** Uploads lines and makes a batch of them. */
export async function createBatch(gateway: RunningGateway, lines: readonly object[]): Promise<Response> {
  const form = new FormData()
  form.set('purpose', 'batch')
  const text = lines.map((line) => JSON.stringify(line)).join('\n')
  form.set('file', new File([text], 'in.jsonl', { type: 'application/jsonl' }))
  const headers = { authorization: `Bearer ${memoryKey}` }
  const uploaded = await fetch(`${gateway.url}/v1/files`, { method: 'POST', headers, body: form })
  const { id } = (await uploaded.json()) as { id: string }
  const batch = { input_file_id: id, endpoint: '/v1/chat/completions', completion_window: '24h' }
  return await gateway.send('/v1/batches', batch)
}
