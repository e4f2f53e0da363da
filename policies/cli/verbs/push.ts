import { Failure } from '../context.ts'
import { pushFolder } from '../push-folder.ts'
import { examples, type Verb } from '../verb.ts'

export const verb: Verb = {
  name: 'push',
  register(program, context) {
    program
      .command('push [dir]')
      .description('make a version of a workspace; the same sources give the same version')
      .option('--env <environment>', 'also deploy it there')
      .option('--message <text>', 'what changed')
      .addHelpText('after', examples(['signalbox push', 'signalbox push acme --env staging --json']))
      .action(async (dir: string | undefined, options: { env?: string; message?: string }) => {
        const { output } = context
        const folder = dir ?? '.'
        const reply = await pushFolder(context.client(), folder, {
          ...(options.env === undefined ? {} : { environment: options.env }),
          ...(options.message === undefined ? {} : { message: options.message }),
          output,
        })
        output.document(reply)
        const state = reply.created ? 'made' : 'is there already'
        output.line(`${output.style('green', `v${reply.version}`)} ${state}: ${reply.digest}`)
        output.line(`${reply.cases.passed} cases passed`)
        if (reply.deployment !== null) output.line(`deployed to ${reply.deployment.environment}`)
        if (reply.deployment?.pending !== undefined) {
          output.note(`waiting for ${reply.deployment.pending.join(', ')}`)
        }
        if (reply.cases.failed > 0) throw new Failure(`${reply.cases.failed} cases failed`, 'case_failed')
      })
  },
}
