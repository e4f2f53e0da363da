import type { GuardrailScanOptions } from '@signalbox/sdk/contract'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { RE2JS } from 're2js'
import { aboutAll, type GuardrailKind, nothingFound } from './guardrail-kind.ts'
import { repairJson } from './repair-json.ts'

/** Longer texts are not read. */
const textCharsMax = 1_048_576

/** Patterns of a schema in linear time; they see strings of the text. */
function linearPattern(pattern: string): { test(text: string): boolean; toString(): string } {
  const form = RE2JS.compile(pattern)
  // The validator keeps patterns by their text.
  return { test: (text) => form.test(text), toString: () => `RE2 ${pattern}` }
}
const createPattern = Object.assign((pattern: string, _flags: string) => linearPattern(pattern), {
  code: 'linearPattern',
})

function validatorOf(schema: GuardrailScanOptions<'jsonSchema'>['schema']): ValidateFunction {
  const ajv = new Ajv2020({
    strict: false,
    logger: false,
    validateFormats: false,
    code: { regExp: createPattern },
  })
  return ajv.compile(schema)
}

function read(text: string): { readonly value: unknown } | undefined {
  if (text.length > textCharsMax) return undefined
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

/** Whether a text is JSON of a schema: `notJson`, `notOfSchema`. */
export const jsonSchema: GuardrailKind<'jsonSchema'> = {
  kind: 'jsonSchema',
  check({ schema }) {
    try {
      validatorOf(schema)
      return undefined
    } catch (error) {
      return `not a valid JSON Schema: ${error instanceof Error ? error.message : String(error)}`
    }
  },
  hold: () => undefined,
  create({ schema, repair = false }) {
    const validate = validatorOf(schema)
    return {
      scan(text) {
        const known = read(text)
        if (known === undefined) return { findings: [aboutAll('notJson', text)] }
        return validate(known.value) ? nothingFound : { findings: [aboutAll('notOfSchema', text)] }
      },
      ...(repair && {
        repair(text: string) {
          const repaired = text.length > textCharsMax ? undefined : repairJson(text)
          const known = repaired === undefined ? undefined : read(repaired)
          return known !== undefined && validate(known.value) ? repaired : undefined
        },
      }),
    }
  },
}
