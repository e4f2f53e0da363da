import { loadCliConfig } from './config.ts'
import { Output } from './output.ts'
import { report, runCommand } from './run-command.ts'

/** Runs the command line of this process; gives the exit code. */
export async function runProcess(args: readonly string[]): Promise<number> {
  // Who reads no more (`signalbox records | head`) has seen what he wanted.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
  try {
    const config = loadCliConfig()
    return await runCommand(args, { config, output: new Output(config.colour) })
  } catch (error) {
    const output = new Output(false)
    output.json = args.includes('--json')
    return report(error, output)
  }
}
