import {
  type CompiledGuardrail,
  type CompiledWorkspace,
  detectorIds,
  type GuardrailScan,
  outputParts,
} from '@signalbox/sdk/contract'
import { checkScan } from '../guardrail-kinds/all-kinds.ts'
import { streamNeedOf } from '../guardrail-kinds/stream-holds.ts'
import { didYouMean } from './near-name.ts'
import type { Finding } from './problem-list.ts'
import { checkConnection, checkModelName, type WorkspaceNames } from './workspace-names.ts'

function error(message: string, offending?: string): Finding {
  return { code: 'guardrail', message, ...(offending !== undefined && { offending }) }
}
const isBuiltIn = (name: string): boolean => detectorIds.some((id) => id === name)

function scanFindings(scans: Readonly<Record<string, GuardrailScan>>, read: readonly string[]): Finding[] {
  return Object.entries(scans).flatMap(([name, scan]) => {
    const wrong = checkScan(scan)
    const found = wrong === undefined ? [] : [error(`scan "${name}": ${wrong}`, name)]
    if (isBuiltIn(name)) found.push(error(`scan "${name}" has the name of a built-in detector`, name))
    if (!read.includes(name)) {
      found.push({
        ...error(`scan "${name}" is run for nothing: no rule reads findings.${name}`, name),
        severity: 'warning',
      })
    }
    return found
  })
}

/** What a guardrail asks for that its phase does not have. */
function phaseFindings(
  { direction, parts = [], stream, pipeline }: CompiledGuardrail,
  actions: unknown[],
): Finding[] {
  const found: Finding[] = []
  if (direction === 'input') {
    if (stream !== undefined) found.push(error('an input comes whole: "stream" is for answers'))
    return found
  }
  for (const part of parts) {
    if (outputParts.includes(part)) continue
    found.push(error(`an answer has no part "${part}": it has ${outputParts.join(', ')}`, part))
  }
  const reversible = actions.some((action) => Object(Object(action).redact).reversible === true)
  if (reversible)
    found.push(error('only what is taken out of an input can be put back: "reversible" is for inputs'))
  if (pipeline !== undefined && stream === 'window') {
    found.push(error('a pipeline waits for verdicts: its "stream" is hold or post'))
  }
  return found
}

/**
 * What is wrong with how a guardrail is to be run, looked at by itself. `actions` are those that its rules always say.
 */
export function runningFindings(guardrail: CompiledGuardrail, actions: unknown[]): Finding[] {
  const { scan = {}, pipeline, rules = [], detectors = [], stream, timeoutMs } = guardrail
  const found = [...scanFindings(scan, detectors), ...phaseFindings(guardrail, actions)]
  if (pipeline !== undefined && (rules.length > 0 || guardrail.scan !== undefined)) {
    found.push(error('"pipeline" stands in place of rules and scans: a guardrail has one or the other'))
  }
  const known = [...detectorIds, ...Object.keys(scan)]
  for (const name of detectors) {
    if (known.includes(name)) continue
    found.push(
      error(`there is no detector "${name}", and no scan of this name${didYouMean(name, known)}`, name),
    )
  }
  const need = streamNeedOf(guardrail)
  if (stream === 'window' && 'whole' in need) {
    found.push(error(`"stream": "window" lets parts of an answer out, and ${need.whole}: use hold or post`))
  }
  const asksOthers = Object.values(scan).some(
    ({ judge, moderation, webhook }) => judge ?? moderation ?? webhook,
  )
  if (timeoutMs !== undefined && !asksOthers && pipeline === undefined) {
    found.push({
      ...error('"timeoutMs" is for scans that ask others, and there is none'),
      severity: 'warning',
    })
  }
  return found
}

function offendingIn(finding: Finding | undefined, offending: string): Finding | undefined {
  return finding && { ...finding, offending }
}

function nameFindings(scan: GuardrailScan, names: WorkspaceNames): Finding[] {
  const { judge, moderation, webhook } = scan
  const connection = (moderation ?? webhook)?.connection
  return [
    judge && offendingIn(checkModelName(judge.model, names), judge.model),
    connection && offendingIn(checkConnection(connection, names.connections), connection),
  ].filter((each) => typeof each === 'object')
}

function pipelineFindings(
  { id, direction, pipeline = [] }: CompiledGuardrail,
  all: CompiledWorkspace['guardrails'],
): Finding[] {
  return pipeline.flatMap((step): Finding[] => {
    const meant = all.find((each) => each.id === step.guardrail)
    if (meant === undefined) {
      const near = didYouMean(
        step.guardrail,
        all.map((each) => each.id),
      )
      return [error(`pipeline "${id}": unknown guardrail "${step.guardrail}"${near}`, step.guardrail)]
    }
    if (meant.pipeline !== undefined)
      return [error(`pipeline "${id}": "${meant.id}" is a pipeline itself`, meant.id)]
    if (meant.direction === direction) return []
    return [
      error(
        `pipeline "${id}": guardrail "${meant.id}" checks the ${meant.direction}, not the ${direction}`,
        meant.id,
      ),
    ]
  })
}

/** Names in guardrails that mean nothing in their workspace. */
export function guardrailNameFindings(
  all: CompiledWorkspace['guardrails'],
  names: WorkspaceNames,
): { readonly file: string; readonly finding: Finding }[] {
  return all.flatMap((guardrail) => {
    const scans = Object.values(guardrail.scan ?? {}).flatMap((scan) => nameFindings(scan, names))
    const found = [...scans, ...pipelineFindings(guardrail, all)]
    return found.map((finding) => ({ file: guardrail.file, finding }))
  })
}
