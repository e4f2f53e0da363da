import { readFileSync } from 'node:fs'
import type { Client } from '@signalbox/sdk'
import { Failure } from '../context.ts'
import { printDeployment } from '../print-deployment.ts'
import { parseRamp, parseShare } from '../ramp-plan.ts'
import { examples, type Verb } from '../verb.ts'

type Wanted = Parameters<Client['promoteVersion']>[0]
interface PromoteOptions {
  env: string
  canary?: string
  teams?: string
  by?: string
  ramp?: string
  guards?: string
  shadow?: boolean
  share?: string
  reason?: string
  revision?: string
}
const kinds = ['user', 'session', 'key'] as const

/** The guards of a JSON file; the control plane checks what is in it. @throws Failure. */
function readGuards(file: string): NonNullable<Wanted['guards']> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as NonNullable<Wanted['guards']>
  } catch (error) {
    throw new Failure(`${file}: ${error instanceof Error ? error.message : 'cannot be read'}`)
  }
}

/** @throws Failure for an option that cannot be. */
function wantedOf(version: string, options: PromoteOptions): Wanted {
  const { env, canary, teams, ramp, guards, shadow, share, reason, revision } = options
  const by = kinds.find((each) => each === options.by)
  if (options.by !== undefined && by === undefined) {
    throw new Failure(`--by is ${kinds.join(', ')}; not "${options.by}".`, 'usage')
  }
  if (revision !== undefined && !/^\d{1,9}$/.test(revision)) {
    throw new Failure(`--revision is a whole number; not "${revision}".`, 'usage')
  }
  const names = teams?.split(',').map((each) => each.trim())
  return {
    version,
    environment: env,
    ...(canary !== undefined && { canaryPpm: parseShare(canary) }),
    ...(names !== undefined && { teams: names }),
    ...(by !== undefined && { by }),
    ...(ramp !== undefined && { ramp: parseRamp(ramp) }),
    ...(guards !== undefined && { guards: readGuards(guards) }),
    ...(shadow === true && { shadow }),
    ...(share !== undefined && { shadowPpm: parseShare(share) }),
    ...(reason !== undefined && { reason }),
    ...(revision !== undefined && { revision: Number(revision) }),
  }
}

export const verb: Verb = {
  name: 'promote',
  register(program, context) {
    program
      .command('promote <version>')
      .description('make a version the stable one of an environment, its candidate, or a shadow')
      .requiredOption('--env <environment>', 'where')
      .option('--canary <share>', 'only for this share of the callers, like 5%; a higher one later ramps')
      .option('--teams <names>', 'only for these teams, separated by commas')
      .option('--by <kind>', 'what callers are told apart by: user, session or key')
      .option('--ramp <plan>', 'shares one after the other, like 5%@30m,25%@2h/1000,100%')
      .option('--guards <file>', 'JSON: what differs from the default guards')
      .option('--shadow', 'only look on: evaluated beside stable, without any effect')
      .option(
        '--share <share>',
        'of all calls, how many shadows look at: 10%; if left out, as many as before, at first all',
      )
      .option('--reason <text>', 'why, for the history')
      .option('--revision <number>', 'refuse if another deployment than this one stands there')
      .addHelpText(
        'after',
        examples([
          'signalbox promote v12 --env production',
          'signalbox promote v13 --env production --canary 5% --teams search,labs',
          'signalbox promote v13 --env production --ramp 5%@30m,25%@2h,100%',
          'signalbox promote v13 --env production --shadow',
        ]),
      )
      .action(async (version: string, options: PromoteOptions) => {
        const reply = await context.client().promoteVersion(wantedOf(version, options))
        context.output.document(reply)
        printDeployment(reply, context.output)
      })
  },
}
