import type { IncomingHttpHeaders } from 'node:http'
import { PromptVariables, Refusal } from '@signalbox/sdk/contract'
import { fits } from '@signalbox/sdk/node'
import { asObject, isObject } from '../wire/json-value.ts'

/** A prompt that a caller names, and where he does. */
export interface PromptWish {
  readonly name: string
  /** `12` of `name@v12`; undefined: the one that is deployed. */
  readonly version: number | undefined
  readonly variables: PromptVariables
  /** Where a name, and where a variable stands, for errors: `x-signalbox-prompt`, `prompt.variables`. */
  readonly at: { readonly name: string; readonly variables: string }
}

const nameHeader = 'x-signalbox-prompt'
const variablesHeader = 'x-signalbox-variables'
const headerAt = { name: nameHeader, variables: variablesHeader }
const bodyAt = { name: 'prompt.id', variables: 'prompt.variables' }
/** Ids of prompts that are ours; all others are the provider's. */
const ownPrefix = 'signalbox/'
const reference = /^([a-z0-9][a-z0-9._-]{0,127})(?:@v([1-9]\d{0,8}))?$/
const versionText = /^v?([1-9]\d{0,8})$/
const beyondAscii = /[\x80-\xff]/

function refuse(param: string, message: string): never {
  throw new Refusal('invalid_request', { message, param })
}

function readReference(text: string, param: string): Pick<PromptWish, 'name' | 'version'> {
  const match = reference.exec(text)
  if (match?.[1] === undefined) {
    return refuse(param, `\`${param}\` must be the name of a prompt, or name@v12 for one of a version.`)
  }
  return { name: match[1], version: match[2] === undefined ? undefined : Number(match[2]) }
}

/** Node reads headers as Latin-1; clients write them in UTF-8. */
function headerText(text: string): string {
  return beyondAscii.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text
}

function readVariables(value: unknown, param: string): PromptVariables {
  if (!isObject(value)) return refuse(param, `\`${param}\` must be a JSON object of variables.`)
  const variables: Record<string, unknown> = {}
  for (const [name, each] of Object.entries(value)) variables[name] = plainValue(each)
  if (fits(PromptVariables, variables)) return variables
  const wrong = Object.keys(variables).find((name) => !fits(PromptVariables, { [name]: variables[name] }))
  return refuse(
    `${param}.${wrong ?? ''}`,
    'A variable of a prompt is a text, a number, a boolean or a list of them.',
  )
}

/** Clients of Responses may write a text as a part: `{ "type": "input_text", "text": "…" }`. */
function plainValue(value: unknown): unknown {
  const part = asObject(value)
  return part?.type === 'input_text' ? part.text : value
}

function inHeaders(headers: IncomingHttpHeaders): PromptWish | undefined {
  const named = headers[nameHeader]
  const variables = headers[variablesHeader]
  if (named === undefined) {
    if (variables === undefined) return undefined
    return refuse(
      variablesHeader,
      `The header ${variablesHeader} needs ${nameHeader}, which names the prompt.`,
    )
  }
  let value: unknown = {}
  if (variables !== undefined) {
    try {
      value = JSON.parse(headerText(String(variables)))
    } catch {
      return refuse(variablesHeader, `The header ${variablesHeader} is not valid JSON.`)
    }
  }
  return {
    ...readReference(String(named).trim(), nameHeader),
    variables: readVariables(value, variablesHeader),
    at: headerAt,
  }
}

/** Whether a Responses request names a prompt of ours, and not one that its provider keeps. */
export function isOwnPrompt(value: unknown): boolean {
  const id = asObject(value)?.id
  return typeof id === 'string' && id.startsWith(ownPrefix)
}

function inBody(value: unknown): PromptWish | undefined {
  const prompt = asObject(value)
  if (prompt === undefined || !isOwnPrompt(prompt)) return undefined
  const named = readReference(String(prompt.id).slice(ownPrefix.length), bodyAt.name)
  const { version, variables } = prompt
  const number =
    version === undefined || version === null ? undefined : versionText.exec(String(version))?.[1]
  if (version !== undefined && version !== null && (number === undefined || named.version !== undefined)) {
    return refuse(
      'prompt.version',
      '`prompt.version` must be the number of a version, and stand in one place.',
    )
  }
  return {
    name: named.name,
    version: number === undefined ? named.version : Number(number),
    variables: readVariables(variables ?? {}, bodyAt.variables),
    at: bodyAt,
  }
}

/**
 * The prompt that a call names: by `x-signalbox-prompt` and `x-signalbox-variables`, or by the member `prompt` of a
 * Responses request. Undefined where it names none.
 * @throws Refusal `invalid_request` for a reference or variables that are none.
 */
export function readPromptWish(headers: IncomingHttpHeaders, member: unknown): PromptWish | undefined {
  const head = inHeaders(headers)
  const body = inBody(member)
  if (head !== undefined && body !== undefined) {
    return refuse(bodyAt.name, `The call names one prompt in \`prompt\` and another in ${nameHeader}.`)
  }
  return head ?? body
}
