import { buildVersion, loadCatalogue, loadWorkspaceFolder } from '@signalbox/policies'
import { Option } from 'commander'
import { githubAnnotations, sarifReport } from '../check-formats.ts'
import { Failure } from '../context.ts'
import { formatProblem } from '../problems.ts'
import { examples, type Verb } from '../verb.ts'

const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`

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
      .addHelpText('after', examples(['signalbox check', 'signalbox check acme --format github']))
      .action(async (dir: string | undefined, options: { format: string; json?: boolean }) => {
        const files = await loadWorkspaceFolder(dir ?? '.')
        const { problems, version } = await buildVersion(files, { catalogue: loadCatalogue() })
        const format = options.json === true ? 'json' : options.format
        if (format === 'json') {
          output.json = true
          output.document({ digest: version?.digest ?? null, problems })
        } else if (format === 'sarif') {
          output.line(JSON.stringify(sarifReport(problems), null, 2))
        } else if (format === 'github') {
          for (const line of githubAnnotations(problems, dir ?? '.')) output.line(line)
        } else {
          for (const problem of problems) output.note(formatProblem(problem, output))
        }
        const errors = problems.filter((problem) => problem.severity === 'error').length
        if (version === null)
          throw new Failure(`${errors} ${errors === 1 ? 'error' : 'errors'}`, 'check_failed')
        if (format !== 'text') return
        const { policies, guardrails, prompts } = version.compiled
        const conditions = policies.flatMap((policy) => policy.rules.flatMap((rule) => rule.conditions))
        const lifted = conditions.filter((condition) => condition.lifted).length
        output.line(
          `${output.style('green', 'ok')} ${counted(policies.length, 'policy', 'policies')}, ` +
            `${counted(guardrails.length, 'guardrail')}, ` +
            `${counted(prompts.length, 'prompt')}; ${lifted}/${conditions.length} conditions analysable`,
        )
        output.line(version.digest)
      })
  },
}
