import { Writable } from 'node:stream'
import { loadCliConfig } from '../../policies/cli/config.ts'
import { Output } from '../../policies/cli/output.ts'
import { runCommand } from '../../policies/cli/run-command.ts'

export interface CliRun {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function collector(): { stream: Writable; text(): string } {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') }
}

/** One run of `signalbox` in this process: all but the start of a program. `token` undefined: none is known. */
export async function runCli(
  where: {
    readonly url: string
    readonly token?: string
    readonly dataDir: string
    readonly env?: NodeJS.ProcessEnv
  },
  ...args: string[]
): Promise<CliRun> {
  const [stdout, stderr] = [collector(), collector()]
  const { token: _token, rootKey: _rootKey, ...settings } = loadCliConfig()
  const config = {
    ...settings,
    ...{ controlPlaneUrl: where.url, dataDir: where.dataDir, inherited: where.env ?? {} },
    ...(where.token !== undefined && { token: where.token }),
  }
  const output = new Output(false, { stdout: stdout.stream, stderr: stderr.stream })
  const code = await runCommand(args, { config, output })
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}
