import type { Command } from 'commander'
import type { CliContext } from '../context.ts'
import { parseExpiry } from '../duration.ts'
import { examples, type Verb } from '../verb.ts'

interface CreateOptions {
  name: string
  role: 'owner' | 'admin' | 'security' | 'developer' | 'finance' | 'viewer'
  node?: string
  expires?: string
}
const day = (timeMs: number | null): string =>
  timeMs === null ? '-' : new Date(timeMs).toISOString().slice(0, 10)

function registerCreate(tokens: Command, { client, output }: CliContext): void {
  tokens
    .command('create')
    .description('make a token for a program or a CI job; it is shown this once')
    .requiredOption('--name <name>', 'what it is for')
    .requiredOption('--role <role>', 'owner, admin, security, developer, finance or viewer')
    .option('--node <node>', 'team or project that it holds on, with all below; else the organisation')
    .option('--expires <time>', 'until when it works: 2026-12-31, 90d, never', '90d')
    .addHelpText(
      'after',
      examples(['signalbox tokens create --name ci --role developer --node search --expires 30d --json']),
    )
    .action(async ({ name, role, node, expires }: CreateOptions) => {
      const expiresMs = expires === undefined ? null : parseExpiry(expires)
      const token = await client().createToken({
        ...{ name, role },
        ...(node !== undefined && { node }),
        ...(expiresMs !== null && { expiresMs }),
      })
      output.document(token)
      output.line(token.token)
    })
}

export const verb: Verb = {
  name: 'tokens',
  register(program, context) {
    const { client, output } = context
    const tokens = program.command('tokens').description('tokens with which programs reach the control plane')
    tokens
      .command('list')
      .description('list tokens, newest first')
      .action(async () => {
        const reply = await client().listTokens()
        output.document(reply)
        output.table(
          ['ID', 'NAME', 'ROLE', 'NODE', 'CREATED', 'LAST USED', 'EXPIRES', 'REVOKED'],
          reply.items.map((token) => [
            ...[token.id, token.name, token.role, token.node.path === '' ? '-' : token.node.path],
            ...[day(token.createdMs), day(token.lastUsedMs), day(token.expiresMs), day(token.revokedMs)],
          ]),
        )
      })
    registerCreate(tokens, context)
    tokens
      .command('revoke <id>')
      .description('revoke a token; it fails on the next request')
      .action(async (id: string) => {
        const token = await client().revokeToken({ id })
        output.document(token)
        output.line(`${token.name} is revoked`)
      })
  },
}
