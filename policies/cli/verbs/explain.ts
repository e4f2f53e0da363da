import { readFileSync, writeFileSync } from 'node:fs'
import {
  buildVersion,
  createEngine,
  type ExplainedVersion,
  explainRecord,
  explanationLines,
  indexCatalogue,
  loadCatalogue,
  loadWorkspaceFolder,
  type Tone,
} from '@signalbox/policies'
import { CallRecord, type Explanation } from '@signalbox/sdk/contract'
import { describeViolations, fits, violationsOf } from '@signalbox/sdk/node'
import type { CliContext } from '../context.ts'
import { Failure } from '../context.ts'
import type { Output } from '../output.ts'
import { reportProblems } from '../problems.ts'
import { examples, type Verb } from '../verb.ts'

interface Options {
  record?: string
  save?: string
}

const styles: Readonly<Record<Exclude<Tone, 'plain'>, Parameters<Output['style']>[0]>> = {
  strong: 'bold',
  dim: 'dim',
  good: 'green',
  bad: 'red',
  warn: 'yellow',
}

function print(explanation: Explanation, output: Output): void {
  output.document(explanation)
  const paint = (tone: Tone, text: string) => (tone === 'plain' ? text : output.style(styles[tone], text))
  for (const line of explanationLines(explanation, { width: output.width, paint })) output.line(line)
  if (explanation.traceUrl !== null) output.line(output.style('dim', `trace ${explanation.traceUrl}`))
}

/** A record that was saved; the reply of `GET /v1/records/ID`. */
function readRecord(file: string): CallRecord {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Failure(`${file}: expected a record in JSON: ${error instanceof Error ? error.message : error}`)
  }
  if (fits(CallRecord, value)) return value
  const what = describeViolations(violationsOf(CallRecord, value))
  throw new Failure(
    `${file}: expected a record, as \`signalbox explain ID --save ${file}\` writes it: ${what}`,
  )
}

/** The version of a folder, as it was compiled when the call was decided if nothing was changed since. */
async function versionOf(folder: string, record: CallRecord, output: Output): Promise<ExplainedVersion> {
  const sources = await loadWorkspaceFolder(folder)
  const { problems, version } = await buildVersion(sources, { catalogue: loadCatalogue(), typeCheck: false })
  if (version === null) {
    reportProblems(problems, output)
    throw new Failure(`${folder} does not compile`, 'check_failed')
  }
  const { digest, script, compiled } = version
  const { versionDigest, version: number } = record.row
  const isRecorded = digest === versionDigest
  if (!isRecorded) {
    output.note(`${folder} is ${digest}; the call was decided by ${versionDigest ?? 'no version'}`)
  }
  const nodePath = compiled.node.split('/').filter((name) => name !== '')
  return { digest, script, compiled, nodePath, ...(isRecorded && number !== undefined && { number }) }
}

/** Explains from files alone: no control plane, no network. */
async function explainFile(
  file: string,
  folders: readonly string[],
  { output }: CliContext,
): Promise<Explanation> {
  const record = readRecord(file)
  const versions: ExplainedVersion[] = []
  for (const folder of folders) versions.push(await versionOf(folder, record, output))
  versions.sort((one, other) => one.nodePath.length - other.nodePath.length)
  const engine = await createEngine()
  try {
    const catalogue = indexCatalogue(loadCatalogue().catalogue)
    return await explainRecord({ record, versions, engine, catalogue })
  } finally {
    engine.dispose()
  }
}

export const verb: Verb = {
  name: 'explain',
  register(program, context) {
    const command = program.command('explain')
    command
      .argument(
        '[id-or-folder...]',
        'id of a call (header x-signalbox-decision); with --record workspace folders',
      )
      .description('why a call was decided as it was, and which single change would have led elsewhere')
      .option(
        '--record <file>',
        'explain a saved record offline, with the workspace in the folder (here if none)',
      )
      .option('--save <file>', 'also save the record, for --record')
      .addHelpText(
        'after',
        examples([
          'signalbox explain 019a…',
          'signalbox explain 019a… --json',
          'signalbox explain 019a… --save call.json',
          'signalbox explain --record call.json acme',
        ]),
      )
      .action(async (names: string[], { record, save }: Options) => {
        if (record !== undefined) {
          const folders = names.length === 0 ? ['.'] : names
          return print(await explainFile(record, folders, context), context.output)
        }
        const [id, other] = names
        if (id === undefined || other !== undefined) {
          return command.error('error: expected one id: signalbox explain ID (or --record FILE)')
        }
        const client = context.client()
        if (save !== undefined) {
          writeFileSync(save, `${JSON.stringify(await client.getRecord({ id }), null, 2)}\n`)
        }
        print(await client.explainRecord({ id }), context.output)
      })
  },
}
