import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe } from 'vitest'

/** Recorded provider traffic, beside the checkout. */
export const recordingsFolder = fileURLToPath(new URL('../../../shared/recordings', import.meta.url))

/** A Python that has the official clients: `SIGNALBOX_TEST_PYTHON`, else the one on the PATH. */
export function pythonWithClients(): string {
  return process.env.SIGNALBOX_TEST_PYTHON ?? 'python3'
}

/** Another Node, 24 or later: `SIGNALBOX_TEST_NODE`. */
export function otherNode(): string {
  return process.env.SIGNALBOX_TEST_NODE ?? ''
}

/** A coding agent: in the folder `SIGNALBOX_TEST_AGENTS`, else on the PATH. */
export function agentBinary(name: string): string {
  const folder = process.env.SIGNALBOX_TEST_AGENTS
  return folder === undefined ? name : join(folder, name)
}

function agent(name: string, packageName: string): { present(): boolean; reason: string } {
  return {
    present: () => spawnSync(agentBinary(name), ['--version'], { timeout: 20_000 }).status === 0,
    reason: `no ${name} in SIGNALBOX_TEST_AGENTS or on the PATH; npm has it as ${packageName}`,
  }
}

/** A server of Redis or Valkey on the PATH. */
export function redisBinary(): string | undefined {
  return ['redis-server', 'valkey-server'].find((each) => spawnSync(each, ['--version']).status === 0)
}

/** Things that a machine may lack, and what to do about it. The only place where tests are skipped. */
const things = {
  redis: {
    present: () => redisBinary() !== undefined,
    reason: 'no redis-server and no valkey-server on the PATH',
  },
  recordings: {
    present: () => existsSync(recordingsFolder),
    reason: 'recorded provider traffic is not beside the checkout (../shared/recordings)',
  },
  python: {
    present: () =>
      spawnSync(pythonWithClients(), ['-c', 'import openai, anthropic, google.genai']).status === 0,
    reason:
      'no Python with the packages openai, anthropic and google-genai; name one in SIGNALBOX_TEST_PYTHON',
  },
  otherNode: {
    present: () => otherNode() !== '' && spawnSync(otherNode(), ['--version']).status === 0,
    reason: 'no other Node; name the binary of one, 24 or later, in SIGNALBOX_TEST_NODE',
  },
  claude: agent('claude', '@anthropic-ai/claude-code'),
  codex: agent('codex', '@openai/codex'),
  gemini: agent('gemini', '@google/gemini-cli'),
  opencode: agent('opencode', 'opencode-ai'),
  cline: agent('cline', 'cline'),
  python3: {
    present: () => spawnSync('python3', ['-c', 'from typing import NotRequired']).status === 0,
    reason: 'no Python 3.11 on the PATH',
  },
  root: {
    present: () => process.getuid?.() === 0 && process.platform === 'linux',
    reason: 'only root on Linux can run as other users',
  },
} as const

/** `describe` where the thing is there; else a skipped suite whose name carries the reason. */
export function describeWith(thing: keyof typeof things, name: string, body: () => void): void {
  const { present, reason } = things[thing]
  if (present()) describe(name, body)
  else describe.skip(`${name} (skipped: ${reason})`, body)
}
