import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { ApiError, type Client } from '@signalbox/sdk'
import { Envelope as EnvelopeSchema } from '@signalbox/sdk/contract'
import { fits, signText } from '@signalbox/sdk/node'
import type { Command } from 'commander'
import { type CliContext, Failure } from '../context.ts'
import { loadSigningKey, writeSigningKey } from '../signing-key-file.ts'
import { examples, type Verb } from '../verb.ts'

type Change = NonNullable<Parameters<Client['changeTrust']>[0]>
type Changed = Awaited<ReturnType<Client['changeTrust']>>
type Envelope = Changed['envelope']
const roles = ['root', 'release', 'author'] as const
interface SetOptions {
  addAuthor?: string[]
  addRoot?: string[]
  remove?: string[]
  threshold?: string[]
  require?: string
  out?: string
}

interface InitOptions {
  keyFile: string
  require?: string
  out?: string
}

const several = (value: string, before: string[] = []): string[] => [...before, value]

/** `author=2` → thresholds. @throws Failure. */
function thresholdsOf(texts: readonly string[]): NonNullable<Change['thresholds']> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, role = '', count = ''] = /^(root|release|author)=([1-9]|1[0-6])$/.exec(text) ?? []
      if (role === '') throw new Failure(`--threshold is role=count, like author=2; not "${text}"`)
      return [role, Number(count)]
    }),
  )
}

const listOf = (text: string): string[] => (text === 'none' ? [] : text.split(',').map((each) => each.trim()))

/** A root document as `--out` wrote it. @throws Failure. */
function loadEnvelope(file: string): Envelope {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Failure(`${file}: ${error instanceof Error ? error.message : error}`)
  }
  if (fits(EnvelopeSchema, value)) return value
  throw new Failure(`${file} holds no root document: expected what \`signalbox trust … --out\` wrote`)
}

/** Says what became of a change; a document that others must sign goes to a file. */
function tell({ output }: CliContext, changed: Changed, out: string | undefined): void {
  if (out !== undefined) writeFileSync(out, `${JSON.stringify(changed.envelope)}\n`)
  output.document(changed)
  if (changed.published) {
    const { sequence } = JSON.parse(changed.envelope.payload) as { sequence: number }
    output.line(`${output.style('green', `root ${sequence}`)} is published; all documents are signed anew`)
    if (changed.pending !== undefined) output.note(`waiting for ${changed.pending.join(', ')}`)
    return
  }
  const { before, after } = changed.missing
  const count = Math.max(before, after)
  output.line(`not published: ${count} signature(s) of root keys are missing`)
  output.line(
    out === undefined
      ? 'ask again with --out FILE, have it signed with `signalbox trust sign`, then `signalbox trust publish FILE`'
      : `have ${out} signed: signalbox trust sign ${out} --key-file ROOT_KEY, then signalbox trust publish ${out}`,
  )
}

function registerShow(trust: Command, { client, output }: CliContext): void {
  trust
    .command('show')
    .description('whose signatures count, and how many of them')
    .action(async () => {
      const reply = await client().getTrust()
      output.document(reply)
      output.line(`root ${reply.sequence}`)
      for (const role of roles) {
        const { threshold, keyIds } = reply.root.roles[role]
        const keys = keyIds.map((id) => (reply.held.includes(id) ? `${id} (held)` : id))
        output.line(`  ${role.padEnd(8)} ${threshold} of ${keys.length === 0 ? 'nobody' : keys.join(', ')}`)
      }
      const { authorsIn = [] } = reply.root
      output.line(
        `  authors must sign for ${authorsIn.length === 0 ? 'no environment' : authorsIn.join(', ')}`,
      )
    })
}

function registerInit(trust: Command, context: CliContext): void {
  trust
    .command('init')
    .description('make a key for CI to sign versions with, and let it count')
    .requiredOption('--key-file <file>', 'where the key goes; give its text to CI as SIGNALBOX_AUTHOR_KEY')
    .option('--require <environments>', 'where releases must be signed by it: staging,production')
    .option('--out <file>', 'where the document goes if others must sign it too')
    .addHelpText('after', examples(['signalbox trust init --key-file author.key --require production']))
    .action(async ({ keyFile, require: wanted, out }: InitOptions) => {
      const client = context.client()
      const { publicKey, keyId } = writeSigningKey(keyFile)
      const wish: Change = {
        add: [{ role: 'author', publicKey }],
        ...(wanted !== undefined && { authorsIn: listOf(wanted) }),
      }
      const changed = await client.changeTrust(wish).catch((error: unknown) => {
        // A key that nobody knows of would only be in the way of the next try; of a lost reply nobody can say.
        if (error instanceof ApiError && error.status >= 400 && error.status < 500) rmSync(keyFile)
        else
          context.output.note(
            `key ${keyId} is in ${keyFile}; \`signalbox trust show\` says whether it counts`,
          )
        throw error
      })
      if (!changed.published && out === undefined) rmSync(keyFile)
      else context.output.line(`key ${keyId} is in ${keyFile}`)
      tell(context, changed, out)
    })
}

function registerRotate(trust: Command, context: CliContext): void {
  trust
    .command('rotate')
    .description('replace keys that the control plane holds by new ones')
    .option('--root', 'the root key')
    .option('--release', 'the release key')
    .option('--out <file>', 'where the document goes if others must sign it too')
    .addHelpText(
      'after',
      examples(['signalbox trust rotate --release', 'signalbox trust rotate --root --release']),
    )
    .action(async (options: { root?: boolean; release?: boolean; out?: string }) => {
      const rotate = [
        ...(options.root === true ? (['root'] as const) : []),
        ...(options.release === true ? (['release'] as const) : []),
      ]
      if (rotate.length === 0) throw new Failure('Say what to rotate: --root, --release or both.', 'usage')
      tell(context, await context.client().changeTrust({ rotate }), options.out)
    })
}

function registerSet(trust: Command, context: CliContext): void {
  trust
    .command('set')
    .description('add and remove keys, set thresholds, say where authors must sign')
    .option('--add-author <public key>', 'a key that signs versions; may stand again', several)
    .option('--add-root <public key>', 'a root key that is kept elsewhere; may stand again', several)
    .option('--remove <key id>', 'a key that counts no more; may stand again', several)
    .option('--threshold <role=count>', 'signatures that a role wants; may stand again', several)
    .option('--require <environments>', 'where authors must sign: staging,production; or none')
    .option('--out <file>', 'where the document goes if others must sign it too')
    .addHelpText(
      'after',
      examples([
        'signalbox trust set --require staging,production',
        'signalbox trust set --threshold author=2',
      ]),
    )
    .action(async (options: SetOptions) => {
      const add = [
        ...(options.addAuthor ?? []).map((publicKey) => ({ role: 'author' as const, publicKey })),
        ...(options.addRoot ?? []).map((publicKey) => ({ role: 'root' as const, publicKey })),
      ]
      const changed = await context.client().changeTrust({
        ...(add.length > 0 && { add }),
        ...(options.remove !== undefined && { remove: options.remove }),
        ...(options.threshold !== undefined && { thresholds: thresholdsOf(options.threshold) }),
        ...(options.require !== undefined && { authorsIn: listOf(options.require) }),
      })
      tell(context, changed, options.out)
    })
}

function registerOffline(trust: Command, context: CliContext): void {
  const { client, output } = context
  trust
    .command('key')
    .description('make a signing key; its private part stays in the file')
    .requiredOption('--out <file>', 'where it goes')
    .action(({ out }: { out: string }) => {
      const { keyId, publicKey } = writeSigningKey(out)
      output.document({ keyId, publicKey })
      output.line(`${keyId} ${publicKey}`)
    })
  trust
    .command('sign <file>')
    .description('sign a root document with a root key of yours; needs no control plane')
    .requiredOption('--key-file <file>', 'the key, as `trust key` wrote it')
    .action((file: string, { keyFile }: { keyFile: string }) => {
      const key = loadSigningKey(keyFile)
      const { payload, signatures } = loadEnvelope(file)
      const others = signatures.filter(({ keyId }) => keyId !== key.keyId)
      const own = { role: 'root' as const, keyId: key.keyId, sig: signText(payload, key) }
      const envelope: Envelope = { payload, signatures: [...others, own] }
      writeFileSync(file, `${JSON.stringify(envelope)}\n`)
      output.document(envelope)
      output.line(`${file} is signed by ${key.keyId}`)
    })
  trust
    .command('publish <file>')
    .description('publish a root document that enough root keys have signed')
    .action(async (file: string) => {
      const envelope = loadEnvelope(file)
      const changed = await client().publishTrust({ envelope })
      tell(context, changed, undefined)
      if (!changed.published) throw new Failure('', 'failed')
    })
}

export const verb: Verb = {
  name: 'trust',
  register(program, context) {
    const trust = program.command('trust').description('whose signatures gateways believe')
    registerShow(trust, context)
    registerInit(trust, context)
    registerRotate(trust, context)
    registerSet(trust, context)
    registerOffline(trust, context)
  },
}
