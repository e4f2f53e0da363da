import { Failure } from '../context.ts'
import { ciRunOf } from '../git-facts.ts'
import { printDeployment } from '../print-deployment.ts'
import { pushFolder } from '../push-folder.ts'
import { loadSigningKey, parseSigningKey } from '../signing-key-file.ts'
import { examples, type Verb } from '../verb.ts'

interface Options {
  env?: string
  message?: string
  allowDirty?: boolean
  authorKey?: string
}

/** The key of a file, else that of CI; undefined where there is none. */
function authorKeyOf(file: string | undefined, text: string | undefined) {
  if (file !== undefined) return loadSigningKey(file)
  return text === undefined || text === '' ? undefined : parseSigningKey(text, 'SIGNALBOX_AUTHOR_KEY')
}

export const verb: Verb = {
  name: 'push',
  register(program, context) {
    program
      .command('push [dir]')
      .description('make a version of a workspace; the same sources give the same version')
      .option('--env <environment>', 'also deploy it there')
      .option('--message <text>', 'what changed')
      .option('--allow-dirty', 'also what Git does not have')
      .option('--author-key <file>', 'sign with this key; SIGNALBOX_AUTHOR_KEY holds one for CI')
      .addHelpText('after', examples(['signalbox push', 'signalbox push acme --env staging --json']))
      .action(async (dir: string | undefined, options: Options) => {
        const { output } = context
        const folder = dir ?? '.'
        const reply = await pushFolder(context.client(), folder, {
          ...(options.env === undefined ? {} : { environment: options.env }),
          ...(options.message === undefined ? {} : { message: options.message }),
          output,
          tree: options.allowDirty === true ? 'any' : 'clean',
          ciRun: ciRunOf(context.config.inherited),
          authorKey: authorKeyOf(options.authorKey, context.config.authorKey),
        })
        output.document(reply)
        const state = reply.created ? 'made' : 'is there already'
        output.line(`${output.style('green', `v${reply.version}`)} ${state}: ${reply.digest}`)
        output.line(`${reply.cases.passed} cases passed`)
        if (reply.deployment !== null) printDeployment(reply.deployment, output)
        if (reply.cases.failed > 0) throw new Failure(`${reply.cases.failed} cases failed`, 'case_failed')
      })
  },
}
