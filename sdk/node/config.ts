import { readFileSync } from 'node:fs'
import type { Static, TObject } from 'typebox'
import { describeViolations, violationsOf } from './validate.ts'

/** Where a setting comes from: the environment variable, and how its text becomes a value. */
export interface Setting {
  readonly variable: string
  readonly parse: 'string' | 'integer' | 'boolean'
}

function parseSetting(text: string, setting: Setting): unknown {
  if (setting.parse === 'string') return text
  if (setting.parse === 'boolean') return text === '1' || text === 'true'
  return /^-?\d+$/.test(text) ? Number(text) : text
}

/** `NAME`, else the content of the file that `NAME_FILE` names (for mounted secrets). */
function readVariable(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  const direct = environment[name]
  if (direct !== undefined && direct !== '') return direct
  const file = environment[`${name}_FILE`]
  if (file === undefined || file === '') return undefined
  return readFileSync(file, 'utf8').trim()
}

/**
 * Reads a program's settings from the environment: defaults from the schema, all problems at once, frozen.
 * @throws Error that names every variable that is wrong and what was expected; never its value.
 */
export function loadConfig<T extends TObject>(
  schema: T,
  settings: Readonly<Record<string, Setting>>,
  environment: NodeJS.ProcessEnv,
): Readonly<Static<T>> {
  const values: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(settings)) {
    const text = readVariable(environment, setting.variable)
    if (text !== undefined) values[name] = parseSetting(text, setting)
  }
  const violations = violationsOf(schema, values)
  if (violations.length > 0) {
    const named = violations.map((each) => ({ ...each, path: settings[each.path]?.variable ?? each.path }))
    throw new Error(`The settings are not valid: ${describeViolations(named)}`)
  }
  return Object.freeze(values as Static<T>)
}
