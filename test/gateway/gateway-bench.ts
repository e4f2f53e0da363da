import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecret, encodeTrustRoot, hashSecret } from '@signalbox/sdk/node'
import { buildRelease } from '../support/built-release.ts'
import { FakeControlPlane } from '../support/fake-control-plane.ts'
import { type Program, startProgram } from '../support/programs.ts'
import { keyRow, rootNode, stateDocument } from '../support/signed-documents.ts'

const key = createSecret('key', { environment: 'development' })
const development = { environment: 'development' }
const workspace = {
  'signalbox.yaml':
    'name: acme\nmodels:\n  smart: [openai/gpt-5.2, anthropic/claude-opus-4-8]\nmetadata:\n  tier: { enum: [free, paid] }\n',
  'policies/no-free.policy.json': JSON.stringify({
    kind: 'constraint',
    id: 'no-free',
    onError: 'deny',
    rules: [
      {
        id: 'free',
        when: { eq: [{ fact: 'request.metadata.tier', or: 'paid' }, 'free'] },
        then: { deny: { code: 'TIER_BLOCKED', http: 403 } },
      },
    ],
  }),
}
export const team = {
  id: '01990000-0000-7000-8000-0000000000b1',
  parentId: rootNode.id,
  kind: 'team',
  name: 'search',
} as const

/**
 * The gateway as a program of its own, below a control plane that offers a compiled workspace: calls with
 * `metadata.tier` `free` are denied, all others are answered by the simulated provider.
 */
export class GatewayBench {
  readonly controlPlane = new FakeControlPlane()
  readonly dataDir = mkdtempSync(join(tmpdir(), 'signalbox-gateway-'))
  readonly #programs = new Set<Program>()

  async open(): Promise<void> {
    const { controlPlane } = this
    controlPlane.environment = development.environment
    await controlPlane.start()
    controlPlane.offer(await buildRelease(controlPlane.blobs, workspace, development))
    const keys = [keyRow(hashSecret(key), { node: team.id, name: 'ci' })]
    controlPlane.offer(stateDocument(controlPlane.blobs, development, { keys, nodes: [rootNode, team] }))
  }

  async close(): Promise<void> {
    await this.endPrograms()
    await this.controlPlane.stop()
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  /** Variables that a gateway of this control plane is started with. */
  environment(): Record<string, string> {
    return {
      SIGNALBOX_CONTROL_PLANE_URL: this.controlPlane.url,
      SIGNALBOX_GATEWAY_TOKEN: this.controlPlane.token,
      SIGNALBOX_TRUST_ROOT: encodeTrustRoot(this.controlPlane.authority.rootEnvelope),
      SIGNALBOX_DATA_DIR: this.dataDir,
    }
  }

  /** Starts a gateway; it may not be ready yet, or end with an error. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<Program> {
    const program = await startProgram('gateway', { ...this.environment(), ...env })
    this.#programs.add(program)
    return program
  }

  async startReady(env: Readonly<Record<string, string>> = {}): Promise<Program> {
    const program = await this.start(env)
    await program.ready()
    return program
  }

  async endPrograms(): Promise<void> {
    await Promise.all([...this.#programs].map((program) => program.stop('SIGKILL')))
    this.#programs.clear()
  }

  /** A call with the key of the state. */
  call(
    program: Program,
    options: { headers?: Readonly<Record<string, string>>; body?: object } = {},
  ): Promise<Response> {
    return fetch(`${program.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...options.headers },
      body: JSON.stringify({
        model: 'smart',
        messages: [{ role: 'user', content: 'Do not write this down.' }],
        ...options.body,
      }),
    })
  }
}
