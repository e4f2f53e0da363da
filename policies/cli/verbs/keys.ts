import type { Client } from '@signalbox/sdk'
import type { Command } from 'commander'
import type { CliContext } from '../context.ts'
import { parseDuration, parseExpiry } from '../duration.ts'
import { createOrFind } from '../if-missing.ts'
import { examples, type Verb } from '../verb.ts'

interface ScopeOptions {
  models?: string
  operations?: string
  ips?: string
  require?: string
  expires?: string
  direct?: boolean
}
interface CreateOptions extends ScopeOptions {
  team: string
  name: string
  env?: string
  ifMissing?: boolean
}
interface ListOptions {
  team?: string
  env?: string
  prefix?: string
  active?: boolean
}
interface SetOptions extends ScopeOptions {
  name?: string
  team?: string
}
type Key = Awaited<ReturnType<Client['getKey']>>

/** So many keys are asked for at a time. */
const pageLength = 1000
const day = (timeMs: number | null): string =>
  timeMs === null ? '-' : new Date(timeMs).toISOString().slice(0, 10)

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')

/** The scopes that options name, over those that a key has; an empty option takes one away. */
function scopesOf(options: ScopeOptions, before: Key['scopes'] = {}): Key['scopes'] | undefined {
  const named = {
    models: options.models,
    operations: options.operations,
    ipRanges: options.ips,
    requiredMetadata: options.require,
  }
  const { direct } = options
  if (direct === undefined && Object.values(named).every((each) => each === undefined)) return undefined
  const changed = Object.entries(named).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, listOf(text)] as const],
  )
  const { direct: was, ...lists } = before
  const all = { ...lists, ...Object.fromEntries(changed) }
  // What the words mean is checked where the key is kept.
  const kept = Object.fromEntries(Object.entries(all).filter(([, list]) => list.length > 0)) as Key['scopes']
  return (direct ?? was) === true ? { ...kept, direct: true } : kept
}

function withScopes(command: Command): Command {
  return command
    .option(
      '--models <names>',
      'only these aliases and targets, commas between: smart,openai/gpt-5.5,local/*',
    )
    .option('--operations <names>', 'only these kinds of calls: chat,embeddings')
    .option('--ips <ranges>', 'only from these addresses: 10.0.0.0/8,2001:db8::/32')
    .option('--require <properties>', 'only with these properties of metadata: feature,tier')
    .option('--direct', 'its holder may call providers directly while no gateway answers')
    .option('--no-direct', 'its holder may not')
    .option('--expires <time>', 'until when it works: 2026-12-31, 90d, 12h, never')
}

function told(key: { pending?: string[] }, output: CliContext['output']): void {
  if (key.pending !== undefined) output.note(`waiting for ${key.pending.join(', ')}`)
}

function registerList(keys: Command, { client, output }: CliContext): void {
  keys
    .command('list')
    .description('list keys, newest first')
    .option('--team <team>', 'only of this team')
    .option('--env <environment>', 'only of this environment')
    .option('--prefix <characters>', 'only keys that begin so: sb_pAb3')
    .option('--active', 'only keys that work')
    .action(async ({ team, env, prefix, active }: ListOptions) => {
      const api = client()
      const wanted = {
        ...(team !== undefined && { team }),
        ...(env !== undefined && { environment: env }),
        ...(prefix !== undefined && { prefix }),
        ...(active === true && { active }),
        limit: pageLength,
      }
      const items: Key[] = []
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page = await api.listKeys(cursor === undefined ? wanted : { ...wanted, cursor })
        items.push(...page.items)
        cursor = page.nextCursor
      }
      output.document({ items, nextCursor: null })
      output.table(
        ['ID', 'NAME', 'TEAM', 'ENVIRONMENT', 'KEY', 'CREATED', 'LAST USED', 'EXPIRES', 'REVOKED'],
        items.map((key) => [
          ...[key.id, key.name, key.team.name, key.environment, `${key.start}…`],
          ...[day(key.createdMs), day(key.lastUsedMs), day(key.expiresMs), day(key.revokedMs)],
        ]),
      )
    })
}

function registerCreate(keys: Command, { client, config, output }: CliContext): void {
  withScopes(keys.command('create'))
    .description('make a key; it is shown this once')
    .requiredOption('--team <team>', 'name, path or id')
    .requiredOption('--name <label>', 'label, unique in the team')
    .option('--env <environment>', 'environment it works in')
    .option('--if-missing', 'give the existing key (without its value) where there is one')
    .addHelpText('after', examples(['signalbox keys create --team search --name ci --json']))
    .action(async ({ team, name, env, ifMissing, ...options }: CreateOptions) => {
      const api = client()
      const find = async () =>
        (await api.listKeys({ team, name })).items.find((each) => each.revokedMs === null)
      const scopes = scopesOf(options)
      const expiresMs = options.expires === undefined ? null : parseExpiry(options.expires)
      const key = await createOrFind(
        () =>
          api.createKey({
            ...{ team, name, environment: env ?? config.environment },
            ...(scopes !== undefined && { scopes }),
            ...(expiresMs !== null && { expiresMs }),
          }),
        ifMissing === true ? find : undefined,
      )
      output.document(key)
      output.line(
        'key' in key ? key.key : `${key.start}… ${output.style('dim', '(shown only when it was made)')}`,
      )
      told(key, output)
    })
}

function registerSet(keys: Command, { client, output }: CliContext): void {
  withScopes(keys.command('set <id>'))
    .description('change a key: label, team, scopes, expiry; an empty list takes a scope away')
    .option('--name <label>', 'another label')
    .option('--team <team>', 'another team')
    .addHelpText('after', examples(['signalbox keys set 0199… --models smart,cheap --ips ""']))
    .action(async (id: string, { name, team, expires, ...options }: SetOptions) => {
      const api = client()
      const before = await api.getKey({ id })
      const scopes = scopesOf(options, before.scopes)
      const key = await api.updateKey({
        ...{ id, revision: before.revision },
        ...(name !== undefined && { name }),
        ...(team !== undefined && { team }),
        ...(scopes !== undefined && { scopes }),
        ...(expires !== undefined && { expiresMs: parseExpiry(expires) }),
      })
      output.document(key)
      output.line(`${key.name} of ${key.team.name} is changed`)
      told(key, output)
    })
}

function registerRotate(keys: Command, { client, output }: CliContext): void {
  keys
    .command('rotate <id>')
    .description('give a key a new secret, shown this once; the old one works on for a time')
    .option('--grace <time>', 'how long the old one works on: 24h, 7d, 0', '24h')
    .action(async (id: string, { grace }: { grace: string }) => {
      const key = await client().rotateKey({ id, graceS: Math.round(parseDuration(grace) / 1000) })
      output.document(key)
      output.line(key.key)
      const until = key.previousUntilMs
      output.note(
        until === null ? 'the old one fails now' : `the old one works until ${new Date(until).toISOString()}`,
      )
      told(key, output)
    })
}

function registerRevoke(keys: Command, { client, output }: CliContext): void {
  keys
    .command('revoke <id>')
    .description('revoke a key; it fails on the next request')
    .action(async (id: string) => {
      const key = await client().revokeKey({ id })
      output.document(key)
      output.line(`${key.name} of ${key.team.name} is revoked`)
      told(key, output)
    })
}

export const verb: Verb = {
  name: 'keys',
  register(program, context) {
    const keys = program.command('keys').description('keys with which callers reach the gateway')
    registerList(keys, context)
    registerCreate(keys, context)
    registerSet(keys, context)
    registerRotate(keys, context)
    registerRevoke(keys, context)
  },
}
