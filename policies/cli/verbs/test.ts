import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { junitReport, loadWorkspaceFolder } from '@signalbox/policies'
import { type Command, Option } from 'commander'
import { type CliContext, Failure } from '../context.ts'
import { printTests } from '../print-tests.ts'
import { addFixturesCommand } from '../pull-fixtures.ts'
import { hearStop } from '../run-until-stopped.ts'
import { parseThreshold, type TestOptions, testFormats, wholeNumber } from '../test-options.ts'
import { testWorkspace } from '../test-workspace.ts'
import { examples, type Verb } from '../verb.ts'
import { TestWatch, watchFolder } from '../watch-tests.ts'

const mutateSecondsDefault = 120

/** Snapshots written in CI would agree with whatever the policies do. */
function checkUpdate(options: TestOptions, { config }: CliContext): void {
  if (options.update !== true || !config.inCi || options.force === true) return
  throw new Failure(
    '-u does nothing where CI is set: look at the change and commit it, or add --force',
    'usage',
  )
}

async function runOnce(folder: string, options: TestOptions, context: CliContext): Promise<void> {
  const { output } = context
  if (options.format === 'json') options.json = true
  if (options.json === true) output.json = true
  const files = await loadWorkspaceFolder(folder)
  const report = await testWorkspace({ folder, files, options, output })
  if (options.junit !== undefined) writeFileSync(options.junit, junitReport(report))
  printTests(report, { options, folder, output })
  if (report.failed > 0 || report.refusals.length > 0) throw new Failure('', 'case_failed')
}

async function watchTests(folder: string, { output }: CliContext): Promise<void> {
  const stop = hearStop()
  const tests = await TestWatch.start(folder, output)
  // From before the first look, so that no save falls between the two.
  const unwatch = watchFolder(folder, () => void tests.look())
  try {
    await tests.look()
    output.note('Watching; Ctrl-C ends it.')
    await stop
  } finally {
    unwatch()
    tests.dispose()
  }
}

function addOptions(command: Command): Command {
  return command
    .option('--coverage', 'say what cases saw of each policy, and what no case saw')
    .option(
      '--min <figure>',
      'fail below this coverage: 90, or both-outcomes=100; may stand again',
      parseThreshold,
    )
    .option('--changed-only [ref]', 'coverage and mutants of what differs from a Git reference (HEAD)')
    .option('--env <environment>', 'fail below the coverage that this environment asks for')
    .option('--mutate', 'change the policies one thing at a time and see whether a case or test objects')
    .option(
      '--mutate-seconds <n>',
      'time for all mutants together',
      wholeNumber(1, 3600),
      mutateSecondsDefault,
    )
    .option('--fuel', 'say what evaluations cost, beside the limits')
    .option('--seed <n>', 'where the choices of properties start', wholeNumber(-(2 ** 31), 2 ** 31 - 1))
    .option('--runs <n>', 'facts that each property tries', wholeNumber(1, 100_000))
    .option('-u, --update', 'rewrite snapshots, and remove those of no case')
    .option('--force', 'let -u write where CI is set')
    .option('--no-fail-on-empty', 'pass a workspace that has nothing to run')
    .option('--watch', 'test again after each change, the changed policy first')
    .option('--junit <file>', 'also write a JUnit report')
    .addOption(new Option('--format <format>', 'how to report').choices([...testFormats]).default('text'))
}

export const verb: Verb = {
  name: 'test',
  register(program, context) {
    const command = program
      .command('test [dir]')
      .description("run a workspace's cases and properties in the production sandbox")
    addFixturesCommand(command, context)
    addOptions(command)
      .addHelpText(
        'after',
        examples([
          'signalbox test',
          'signalbox test acme --coverage --min both-outcomes=100',
          'signalbox test --mutate --changed-only origin/main',
          'signalbox test --env production --format github',
        ]),
      )
      .action(async (dir: string | undefined, options: TestOptions) => {
        checkUpdate(options, context)
        if (options.watch === true) await watchTests(resolve(dir ?? '.'), context)
        else await runOnce(dir ?? '.', options, context)
      })
  },
}
