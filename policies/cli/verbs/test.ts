import { writeFileSync } from 'node:fs'
import {
  buildVersion,
  createEngine,
  formatCases,
  formatCoverage,
  junitReport,
  loadCatalogue,
  loadWorkspaceFolder,
  runCases,
} from '@signalbox/policies'
import { Failure } from '../context.ts'
import { reportProblems } from '../problems.ts'
import { examples, type Verb } from '../verb.ts'

interface Options {
  coverage?: boolean
  update?: boolean
  junit?: string
  json?: boolean
}

export const verb: Verb = {
  name: 'test',
  register(program, { output }) {
    program
      .command('test [dir]')
      .description("run a workspace's cases in the production sandbox")
      .option('--coverage', 'say which conditions were seen true and false')
      .option('-u, --update', 'rewrite snapshots')
      .option('--junit <file>', 'also write a JUnit report')
      .addHelpText('after', examples(['signalbox test', 'signalbox test acme --coverage']))
      .action(async (dir: string | undefined, options: Options) => {
        const folder = dir ?? '.'
        const files = await loadWorkspaceFolder(folder)
        const catalogue = loadCatalogue()
        const { problems, version } = await buildVersion(files, { catalogue })
        reportProblems(problems, output)
        if (version === null) throw new Failure('the workspace does not compile', 'check_failed')
        const engine = await createEngine()
        const report = await runCases(version, files, {
          engine,
          catalogue,
          ...(options.update === true ? { updateSnapshotsIn: folder } : {}),
        })
        engine.dispose()
        if (options.junit !== undefined) writeFileSync(options.junit, junitReport(report))
        output.document(report)
        output.line(formatCases(report, { colour: output.colour }))
        if (options.coverage === true) output.line(formatCoverage(report, { colour: output.colour }))
        if (report.failed > 0) throw new Failure('', 'case_failed')
      })
  },
}
