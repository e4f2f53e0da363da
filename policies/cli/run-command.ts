import { readdirSync } from 'node:fs'
import { ApiError, type ProblemDetail } from '@signalbox/sdk'
import { Command, CommanderError } from 'commander'
import type { CliConfig } from './config.ts'
import { createContext, Failure } from './context.ts'
import type { Output } from './output.ts'
import { formatProblem } from './problems.ts'
import { examples, type Verb } from './verb.ts'

const exitCodes = { ok: 0, failed: 1, usage: 2 } as const

/** The verb that the line names, alone: what the others need is not loaded. Without such a verb, all, for help. */
async function loadVerbs(asked: string | undefined): Promise<Verb[]> {
  const folder = new URL('verbs/', import.meta.url)
  const all = readdirSync(folder).filter((file) => file.endsWith('.ts'))
  const named = all.filter((file) => file === `${asked}.ts`)
  const files = named.length > 0 ? named : all
  const modules = await Promise.all(files.map((file) => import(new URL(file, folder).href)))
  return modules.map(({ verb }: { verb: Verb }, index) => {
    if (`${verb.name}.ts` !== files[index]) throw new Error(`verbs/${files[index]} calls itself ${verb.name}`)
    return verb
  })
}

const order = [
  'start',
  'dev',
  'init',
  'check',
  'test',
  'generate',
  'plan',
  'backtest',
  'push',
  'status',
  'promote',
  'rollback',
]

function rank(verb: Verb): number {
  const at = order.indexOf(verb.name)
  return at === -1 ? order.length : at
}

function createProgram(verbs: readonly Verb[], config: CliConfig, output: Output): Command {
  const program = new Command('signalbox')
    .description('LLM gateway with a policy-as-code control plane')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.text(text),
      writeErr: (text) => output.note(text.trimEnd()),
    })
    // What stands after the name of a sub-command is meant for it, also where its parent knows the same option.
    .enablePositionalOptions()
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(signalbox --help lists the verbs)')
    .addHelpText('after', examples(['signalbox start', 'signalbox init acme && signalbox test acme']))
  const context = createContext(config, output)
  const sorted = verbs.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
  for (const verb of sorted) verb.register(program, context)
  const leaves = (command: Command): Command[] =>
    command.commands.length === 0
      ? [command]
      : // A command with arguments or options of its own does something beside its sub-commands.
        [
          ...(command.registeredArguments.length + command.options.length > 0 ? [command] : []),
          ...command.commands.flatMap(leaves),
        ]
  for (const command of leaves(program)) {
    command.exitOverride()
    command.option('--json', 'print one JSON document on stdout, everything else on stderr')
    command.hook('preAction', (_, action) => {
      output.json = action.optsWithGlobals().json === true
    })
  }
  return program
}

/** What went wrong as the document of `--json`, in the form in which the control plane says it. */
function printError(
  error: Pick<Failure, 'code' | 'message'> & { readonly problems?: readonly ProblemDetail[] },
  output: Output,
): void {
  const { code, message, problems = [] } = error
  output.document({ error: { code, message, ...(problems.length > 0 && { problems }) } })
}

/** Says what went wrong, where the caller looks for it. Gives how the process ends. */
export function report(error: unknown, output: Output): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.ok
    printError({ code: 'usage', message: error.message.replace(/^error: /, '') }, output)
    return exitCodes.usage
  }
  if (error instanceof ApiError) {
    for (const problem of error.problems) output.note(formatProblem(problem, output))
    output.note(`${output.style('red', 'error')} ${error.message} (${error.code})`)
    printError(error, output)
    return exitCodes.failed
  }
  if (error instanceof Failure) {
    if (error.message !== '') output.note(`${output.style('red', 'error')} ${error.message}`)
    // What it found may be its result: a report of cases that fail.
    if (!output.hasResult) printError(error, output)
    return error.code === 'usage' ? exitCodes.usage : exitCodes.failed
  }
  const text = error instanceof Error ? error.message : String(error)
  output.note(`${output.style('red', 'error')} ${text}`)
  if (!output.hasResult) printError({ code: 'failed', message: text }, output)
  return exitCodes.failed
}

/** Does what a command line asks for. Gives the exit code; what went wrong has been said. */
export async function runCommand(
  args: readonly string[],
  { config, output }: { readonly config: CliConfig; readonly output: Output },
): Promise<number> {
  // A line that cannot be read was meant so too.
  output.json = args.includes('--json')
  try {
    await createProgram(await loadVerbs(args[0]), config, output).parseAsync(args, { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    return report(error, output)
  }
}
