import { printDeployment } from '../print-deployment.ts'
import { examples, type Verb } from '../verb.ts'

interface ApproveOptions {
  person?: string
  comment?: string
  reject?: boolean
  env?: string
}

export const verb: Verb = {
  name: 'approve',
  register(program, context) {
    program
      .command('approve [id]')
      .description('agree to a deployment that somebody else asked for; without an id, list them')
      .option('--person <name>', 'who agrees, where a token is used')
      .option('--comment <text>', 'what there is to say')
      .option('--reject', 'refuse it')
      .option('--env <environment>', 'list those of this environment')
      .addHelpText(
        'after',
        examples([
          'signalbox approve',
          'signalbox approve 0199… --person "Jane Doe" --comment "looks right"',
        ]),
      )
      .action(async (id: string | undefined, options: ApproveOptions) => {
        const { output } = context
        const client = context.client()
        if (id === undefined) {
          const { env } = options
          const reply = await client.listApprovals(env === undefined ? {} : { environment: env })
          output.document(reply)
          for (const each of reply.items) {
            const version = each.candidate?.version ?? each.stable.version
            const what = `${each.environment} ${each.workspace} v${version} by ${each.by}`
            output.line(`${each.approval?.id ?? each.id} ${each.status} ${what}`)
          }
          return
        }
        const said = {
          id,
          ...(options.person !== undefined && { person: options.person }),
          ...(options.comment !== undefined && { comment: options.comment }),
        }
        const reply = await (options.reject === true
          ? client.rejectDeployment(said)
          : client.approveDeployment(said))
        output.document(reply)
        printDeployment(reply, output)
      })
  },
}
