import {
  type BuildResult,
  buildVersion,
  loadCatalogue,
  loadWorkspaceFolder,
  refreshEditorFiles,
} from '@signalbox/policies'
import { InvalidArgumentError, Option } from 'commander'
import { analysisLines } from '../analysis-lines.ts'
import { githubAnnotations, sarifReport } from '../check-formats.ts'
import { Failure } from '../context.ts'
import type { Output } from '../output.ts'
import { explainedProblem } from '../problems.ts'
import { examples, type Verb } from '../verb.ts'

interface Options {
  readonly format: string
  readonly strict?: boolean
  readonly inputTokens?: number
  readonly json?: boolean
}
const inputTokensMax = 100_000_000

const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`

function tokensOf(text: string): number {
  const tokens = Number(text)
  if (/^\d+$/.test(text) && tokens <= inputTokensMax) return tokens
  throw new InvalidArgumentError('expected a whole number of tokens.')
}

function printProblems(result: BuildResult, folder: string, options: Options & { output: Output }): void {
  const { problems, version, analysis } = result
  const { output } = options
  if (options.format === 'json') {
    const { conditions = null } = analysis ?? {}
    const costs = analysis?.costs(options.inputTokens) ?? []
    output.json = true
    output.document({ digest: version?.digest ?? null, problems, conditions, costs })
  } else if (options.format === 'sarif') {
    output.line(JSON.stringify(sarifReport(problems, folder), null, 2))
  } else if (options.format === 'github') {
    for (const line of githubAnnotations(problems, folder)) output.line(line)
  } else {
    for (const problem of problems) output.note(explainedProblem(problem, output))
  }
}

function failIfWrong({ problems, version }: BuildResult, isStrict: boolean): void {
  const count = (severity: string) => problems.filter((each) => each.severity === severity).length
  const [errors, warnings] = [count('error'), count('warning')]
  if (version === null) throw new Failure(counted(errors, 'error'), 'check_failed')
  if (isStrict && warnings > 0)
    throw new Failure(`${counted(warnings, 'warning')} (--strict)`, 'check_failed')
}

function printSummary({ version, analysis }: BuildResult, options: Options & { output: Output }): void {
  if (version === null || analysis === null) return
  const { output, inputTokens } = options
  const { policies, guardrails, prompts } = version.compiled
  const { lifted, conditions } = analysis.conditions
  output.line(
    `${output.style('green', 'ok')} ${counted(policies.length, 'policy', 'policies')}, ` +
      `${counted(guardrails.length, 'guardrail')}, ` +
      `${counted(prompts.length, 'prompt')}; ${lifted}/${conditions} conditions analysable`,
  )
  for (const line of analysisLines(analysis, { output, inputTokens })) output.line(line)
  output.line(version.digest)
}

export const verb: Verb = {
  name: 'check',
  register(program, { output }) {
    program
      .command('check [dir]')
      .description('schemas, types, static analysis and compilation of a workspace')
      .addOption(
        new Option('--format <format>', 'how to report')
          .choices(['text', 'json', 'sarif', 'github'])
          .default('text'),
      )
      .option('--strict', 'fail on warnings too')
      .option('--input-tokens <count>', 'size of the call whose cost is bounded', tokensOf)
      .addHelpText('after', examples(['signalbox check', 'signalbox check acme --strict --format github']))
      .action(async (dir: string | undefined, given: Options) => {
        const options = { ...given, format: given.json === true ? 'json' : given.format, output }
        const files = await loadWorkspaceFolder(dir ?? '.')
        const result = await buildVersion(files, {
          catalogue: loadCatalogue(),
          overFuel: 'refuse',
          today: new Date().toISOString().slice(0, 10),
        })
        await refreshEditorFiles(dir ?? '.', files)
        printProblems(result, dir ?? '.', options)
        failIfWrong(result, options.strict === true)
        if (options.format === 'text') printSummary(result, options)
      })
  },
}
