import { writeFileSync } from 'node:fs'
import { examples, type Verb } from '../verb.ts'

interface EnrollOptions {
  env: string
  name?: string
  tokenFile?: string
  trustRootFile?: string
}

export const verb: Verb = {
  name: 'gateways',
  register(program, context) {
    const { output } = context
    const gateways = program.command('gateways').description('gateways of the organisation')
    gateways
      .command('list')
      .description('what each gateway runs and when it was last seen')
      .action(async () => {
        const reply = await context.client().listGateways()
        output.document(reply)
        output.table(
          ['NAME', 'ENVIRONMENT', 'CONNECTED', 'RELEASE', 'STATE', 'URL'],
          reply.items.map((each) => [
            each.name,
            each.environment,
            each.connected ? 'yes' : 'no',
            String(each.release ?? '-'),
            String(each.state ?? '-'),
            each.url ?? '-',
          ]),
        )
      })
    gateways
      .command('enroll')
      .description('enrol a gateway: its token and the trust root it pins')
      .requiredOption('--env <environment>', 'environment it serves')
      .option('--name <name>', 'name')
      .option('--token-file <file>', 'write the token there, readable by its owner only')
      .option('--trust-root-file <file>', 'write the trust root there')
      .addHelpText('after', examples(['signalbox gateways enroll --env production --json']))
      .action(async (options: EnrollOptions) => {
        const reply = await context.client().enrollGateway({
          environment: options.env,
          ...(options.name === undefined ? {} : { name: options.name }),
        })
        if (options.tokenFile !== undefined)
          writeFileSync(options.tokenFile, `${reply.token}\n`, { mode: 0o600 })
        if (options.trustRootFile !== undefined) writeFileSync(options.trustRootFile, `${reply.trustRoot}\n`)
        output.document(reply)
        output.line(`SIGNALBOX_GATEWAY_TOKEN=${reply.token}`)
        output.line(`SIGNALBOX_TRUST_ROOT=${reply.trustRoot}`)
      })
  },
}
