import { SourceMap } from 'node:module'
import { describeLimits } from '../evaluation/layer.ts'
import type { Description } from '../runtime/wire.ts'
import { type Sandbox, SandboxError } from '../sandbox/index.ts'
import { withDefaults } from '../sandbox/limits.ts'
import { type Bundle, type BundleInput, bundle } from './bundle.ts'
import type { ProblemList } from './problem-list.ts'
import { type Position, startOfFile } from './text-position.ts'
import { apiModule } from './ts-scope.ts'

/** Definitions that are loaded one by one to find the one at fault. */
const suspectsMax = 32
const limits = withDefaults({})
const describeQuestion = JSON.stringify({ describe: true })

/** The place in an author's file that a place in the script comes from. */
function originOf(map: string, at: Position): { file: string; position: Position } | undefined {
  const entry = new SourceMap(JSON.parse(map)).findEntry(at.line - 1, at.column - 1)
  if (!('originalSource' in entry)) return undefined
  const { originalSource, originalLine, originalColumn } = entry
  if (originalSource.startsWith(apiModule)) return undefined
  return { file: originalSource, position: { line: originalLine + 1, column: originalColumn + 1 } }
}

/** Why a script does not load, and where, as far as the sandbox can tell. */
export interface LoadFailure {
  readonly message: string
  readonly origin: { file: string; position: Position } | undefined
}

/**
 * Loads a script in the sandbox and asks it what it holds: the only way that code of an author runs while a version is
 * built.
 */
export function describeScript(sandbox: Sandbox, { script, map }: Bundle): Description | LoadFailure {
  let fuel = limits.loadFuel
  try {
    const image = sandbox.load(script, { fileName: 'policies.js' })
    fuel = limits.fuel
    // The runtime in the script is ours.
    return JSON.parse(image.call(describeQuestion, describeLimits).output) as Description
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error
    return describeScriptError(error, { map, fuel })
  }
}

/** Why a script did not load, at its place in the sources. `fuel`: what there was for it. */
export function describeScriptError(
  error: SandboxError,
  { map, fuel = limits.loadFuel }: { map: string; fuel?: number },
): LoadFailure {
  const { kind, line, column } = error
  const isPlaced = line !== undefined && column !== undefined
  const room = `more than the ${limits.memoryBytes / 2 ** 20} MiB of the sandbox`
  const work = `more than the ${fuel.toLocaleString('en-US')} fuel that there is for it`
  const what = kind === 'exception' ? error.message : `it takes ${kind === 'memory' ? room : work}`
  return {
    message: `the file cannot be loaded: ${what}`,
    origin: isPlaced ? originOf(map, { line, column }) : undefined,
  }
}

/**
 * Bundles definitions, and loads and describes them. Where the script breaks without saying where, each definition is
 * loaded by itself to find the one at fault. Undefined where it does not work, which is reported.
 */
export async function loadDefinitions(
  input: BundleInput,
  sandbox: Sandbox,
  problems: ProblemList,
): Promise<{ readonly made: Bundle; readonly description: Description } | undefined> {
  const made = await bundle(input, problems)
  if (made === undefined) return undefined
  const described = describeScript(sandbox, made)
  if (!('message' in described)) return { made, description: described }
  const report = ({ origin, message }: LoadFailure, file: string) =>
    problems.add(origin?.file ?? file, origin?.position ?? startOfFile, { code: 'load_failed', message })
  if (described.origin !== undefined) {
    report(described, described.origin.file)
    return undefined
  }
  let found = false
  for (const file of input.definitions.slice(0, suspectsMax)) {
    const alone = await bundle({ ...input, definitions: [file] }, problems)
    const failure = alone && describeScript(sandbox, alone)
    if (failure === undefined || !('message' in failure)) continue
    report(failure, file)
    found = true
  }
  if (!found) report(described, 'signalbox.yaml')
  return undefined
}
