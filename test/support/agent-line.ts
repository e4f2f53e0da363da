import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type CodingModel, startCodingModel } from './coding-model.ts'
import { agentBinary } from './needs.ts'
import { type RecordingProxy, startRecordingProxy } from './recording-proxy.ts'
import { type RunningSignalbox, startSignalbox } from './running-signalbox.ts'

/** What an agent printed, and how it ended. */
export interface AgentRun {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}
/** An agent's way: agent → what it sends is kept → Signalbox → what goes out is kept → the simulated provider. */
export interface AgentLine {
  /** Where the agent finds Signalbox. */
  readonly url: string
  readonly key: string
  readonly model: CodingModel
  readonly sent: RecordingProxy['seen']
  readonly upstream: RecordingProxy['seen']
  readonly signalbox: RunningSignalbox
  /** The agent's HOME. */
  readonly home: string
  /** The folder that it works in. */
  readonly project: string
  /** The file in it that it is to change. */
  readonly notes: string
  /** Runs an agent there, for 100 s at most, with nothing in its environment but what is given. */
  run(agent: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<AgentRun>
  /** Writes the file that agents are to change. */
  writeNotes(): void
  readNotes(): string
  stop(): Promise<void>
}

const runTimeoutMs = 100_000

function runIn(
  { home, project }: Pick<AgentLine, 'home' | 'project'>,
  ...[agent, args, env]: Parameters<AgentLine['run']>
): Promise<AgentRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(agentBinary(agent), args, {
      cwd: project,
      // Ends all that it started too.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
        HOME: home,
        TMPDIR: tmpdir(),
        TERM: 'dumb',
        NO_COLOR: '1',
        ...env,
      },
    })
    const [output, errors]: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on('data', (data: Buffer) => output.push(data))
    child.stderr.on('data', (data: Buffer) => errors.push(data))
    const end = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // All of them have ended.
      }
    }
    const timer = setTimeout(end, runTimeoutMs)
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code, output: Buffer.concat(output).toString(), errors: Buffer.concat(errors).toString() })
    })
    child.on('exit', () => setTimeout(end, 500))
  })
}

/** Starts one with a workspace whose connections are all played by the simulated provider. Its `gpt-5.6-sol` is Claude. */
export async function startAgentLine(): Promise<AgentLine> {
  const model = await startCodingModel()
  const behind = await startRecordingProxy(model.url)
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-agent-'))
  const [home, project, workspace] = [
    join(folder, 'home'),
    join(folder, 'project'),
    join(folder, 'workspace'),
  ]
  const notes = join(project, 'notes.txt')
  for (const each of [home, project, workspace]) mkdirSync(each)
  const yaml = [
    'name: agents',
    'connections:',
    `  openai: { provider: openai, baseUrl: ${behind.url}/v1, credential: env:UPSTREAM_KEY }`,
    `  anthropic: { provider: anthropic, baseUrl: ${behind.url}, credential: env:UPSTREAM_KEY }`,
    `  google: { provider: gemini, baseUrl: ${behind.url}, credential: env:UPSTREAM_KEY }`,
    'models:',
    '  gpt-5.6-sol: [anthropic/claude-opus-4-8]',
    '',
  ].join('\n')
  writeFileSync(join(workspace, 'signalbox.yaml'), yaml)
  const env = { SIGNALBOX_WORKSPACE: workspace, UPSTREAM_KEY: 'upstream-secret' }
  const signalbox = await startSignalbox({ env })
  const before = await startRecordingProxy(signalbox.gatewayUrl)
  return {
    url: before.url,
    key: await signalbox.createKey('agents'),
    model,
    sent: before.seen,
    upstream: behind.seen,
    signalbox,
    home,
    project,
    notes,
    run: (...all) => runIn({ home, project }, ...all),
    writeNotes: () => writeFileSync(notes, 'The answer is 42.\n'),
    readNotes: () => readFileSync(notes, 'utf8'),
    async stop() {
      before.close()
      await signalbox.stop()
      behind.close()
      await model.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
