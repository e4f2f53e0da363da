import { type Client, createClient } from '@signalbox/sdk'
import { fits } from '@signalbox/sdk/node'
import { type Command, Option } from 'commander'
import { Type } from 'typebox'
import { type CliContext, controlPlaneUrl, Failure } from '../context.ts'
import { examples, type Verb } from '../verb.ts'

type Wanted = Parameters<Client['createCiTrust']>[0]
interface TrustOptions {
  name: string
  issuer?: string
  github?: string
  gitlab?: string
  audience: string
  claim: string[]
  role: Wanted['role']
  node?: string
  lifetime: string
}
/** What GitHub says where it is asked for the identity of a job. */
const GivenIdentity = Type.Object({ value: Type.String({ minLength: 1 }) })
const githubIssuer = 'https://token.actions.githubusercontent.com'

/** `ref=refs/heads/main` → claims; one that stands again may have either value. @throws Failure. */
function claimsOf(texts: readonly string[]): Wanted['claims'] {
  const claims: Record<string, string[]> = {}
  for (const text of texts) {
    const [, name = '', value = ''] = /^([A-Za-z0-9_:./-]{1,64})=(.+)$/s.exec(text) ?? []
    if (name === '') throw new Failure(`--claim is name=value, like ref=refs/heads/main; not "${text}"`)
    claims[name] = [...(claims[name] ?? []), value]
  }
  return claims
}

/** @throws Failure where no issuer is named, or more than one. */
function trustOf(options: TrustOptions): Wanted {
  const { github, gitlab, issuer } = options
  if ([github, gitlab, issuer].filter((each) => each !== undefined).length !== 1) {
    throw new Failure(
      'Give one of --github OWNER/REPOSITORY, --gitlab GROUP/PROJECT and --issuer URL.',
      'usage',
    )
  }
  const claims = claimsOf(options.claim)
  if (github !== undefined) claims.repository = [github]
  if (gitlab !== undefined) claims.project_path = [gitlab]
  return {
    name: options.name,
    issuer: issuer ?? (github === undefined ? 'https://gitlab.com' : githubIssuer),
    audience: options.audience,
    claims,
    role: options.role,
    lifetimeS: lifetimeOf(options.lifetime),
    ...(options.node !== undefined && { node: options.node }),
  }
}

/** The identity of the job that runs this: GitLab puts it into a variable, GitHub gives it for the asking. */
async function identityOf({ config }: CliContext, audience: string): Promise<string> {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } = config.inherited
  if (config.idToken !== undefined && config.idToken !== '') return config.idToken
  if (url === undefined || token === undefined) {
    throw new Failure(
      'This is no CI job with an identity: set SIGNALBOX_ID_TOKEN (GitLab: id_tokens), or give the job `permissions: id-token: write` (GitHub).',
    )
  }
  const reply = await fetch(`${url}&audience=${encodeURIComponent(audience)}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
  }).catch((error: unknown) => {
    throw new Failure(`GitHub gave no identity: ${error instanceof Error ? error.message : error}`)
  })
  const said: unknown = await reply.json().catch(() => undefined)
  if (fits(GivenIdentity, said)) return said.value
  throw new Failure(`GitHub gave no identity (${reply.status})`)
}

/** `900` → seconds. @throws Failure. */
function lifetimeOf(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new Failure(`--lifetime is a whole number of seconds, like 900; not "${text}"`, 'usage')
}

function registerTrust(ci: Command, { client, output }: CliContext): void {
  const role = new Option('--role <role>', 'of the token').choices(['admin', 'developer', 'viewer'])
  ci.command('trust')
    .description('let jobs of a repository have a short-lived token for their identity')
    .requiredOption('--name <name>', 'name of the trust')
    .option('--github <repository>', 'OWNER/REPOSITORY on GitHub Actions')
    .option('--gitlab <project>', 'GROUP/PROJECT on gitlab.com')
    .option('--issuer <url>', 'another issuer of identities (OpenID Connect)')
    .option('--audience <audience>', 'what identities must be made for', 'signalbox')
    .option(
      '--claim <name=value>',
      'what an identity must say: ref=refs/heads/main; may stand again, * stands for any text',
      (value: string, before: string[]) => [...before, value],
      [],
    )
    .addOption(role.default('developer'))
    .option('--node <team>', 'node that the role holds on')
    .option('--lifetime <seconds>', 'of a token', '900')
    .addHelpText(
      'after',
      examples([
        'signalbox ci trust --name policies --github acme/policies --claim ref=refs/heads/main --role admin',
      ]),
    )
    .action(async (options: TrustOptions) => {
      const trust = await client().createCiTrust(trustOf(options))
      output.document(trust)
      output.line(`${trust.name}: ${trust.role} for ${trust.lifetimeS} s to jobs of ${trust.issuer}`)
    })
}

function registerList(ci: Command, { client, output }: CliContext): void {
  ci.command('list')
    .description('list trusts')
    .action(async () => {
      const reply = await client().listCiTrusts()
      output.document(reply)
      output.table(
        ['ID', 'NAME', 'ISSUER', 'CLAIMS', 'ROLE'],
        reply.items.map((each) => [each.id, each.name, each.issuer, JSON.stringify(each.claims), each.role]),
      )
    })
  ci.command('delete <id>')
    .description('take a trust back')
    .action(async (id: string) => {
      const reply = await client().deleteCiTrust({ id })
      output.document(reply)
      output.line(`${id} is deleted`)
    })
}

function registerLogin(ci: Command, context: CliContext): void {
  const { output, config } = context
  ci.command('login')
    .description('exchange the identity of this job for a token; prints it alone, for SIGNALBOX_TOKEN')
    .option('--audience <audience>', 'what the identity is asked for', 'signalbox')
    .addHelpText('after', examples(['export SIGNALBOX_TOKEN=$(signalbox ci login)']))
    .action(async ({ audience }: { audience: string }) => {
      const identity = await identityOf(context, audience)
      // Nobody is known yet: the identity itself is what counts.
      const stranger = createClient({ url: controlPlaneUrl(config), token: '' })
      const reply = await stranger.exchangeCiToken({ identity })
      output.document(reply)
      output.line(reply.token)
      output.note(`${reply.role} until ${new Date(reply.expiresMs).toISOString()}`)
    })
}

export const verb: Verb = {
  name: 'ci',
  register(program, context) {
    const ci = program.command('ci').description('CI jobs that push without a stored token')
    registerTrust(ci, context)
    registerList(ci, context)
    registerLogin(ci, context)
  },
}
