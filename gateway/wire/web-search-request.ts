import type { ChatPayload } from '../call.ts'
import type { SearchOption, SearchPlace, WebSearch } from '../web-search.ts'
import { asArray, asCount, asObject, asString, type JsonObject } from './json-value.ts'
import type { Losses } from './losses.ts'
import { keepRest } from './rest.ts'

/** Where a format keeps what limits a search, below the tool; a name that begins with `/` is of the whole body. */
type Members = Readonly<Partial<Record<SearchOption, string>>>

interface SearchForm {
  readonly members: Members
  /** Members of the tool itself, and of those of its members that are read one by one. */
  readonly known: ReadonlySet<string>
  readonly inner?: Readonly<Record<string, ReadonlySet<string>>>
}

const placeMembers = new Set(['type', 'city', 'region', 'country', 'timezone'])

const responsesForm: SearchForm = {
  members: {
    usesMax: '/max_tool_calls',
    allowedDomains: 'filters.allowed_domains',
    blockedDomains: 'filters.blocked_domains',
    place: 'user_location',
    contextSize: 'search_context_size',
  },
  known: new Set(['type', 'filters', 'user_location', 'search_context_size', 'external_web_access']),
  inner: { filters: new Set(['allowed_domains', 'blocked_domains']), user_location: placeMembers },
}
const chatForm: SearchForm = {
  members: { place: 'user_location', contextSize: 'search_context_size' },
  known: new Set(['user_location', 'search_context_size']),
  inner: { user_location: new Set(['type', 'approximate']) },
}
const messagesForm: SearchForm = {
  members: {
    usesMax: 'max_uses',
    allowedDomains: 'allowed_domains',
    blockedDomains: 'blocked_domains',
    place: 'user_location',
  },
  known: new Set(['type', 'name', 'max_uses', 'allowed_domains', 'blocked_domains', 'user_location']),
  inner: { user_location: placeMembers },
}
const geminiForm: SearchForm = {
  members: { blockedDomains: 'excludeDomains' },
  known: new Set(['excludeDomains']),
}

const vercelOpenAiForm: SearchForm = {
  members: {
    allowedDomains: 'filters.allowedDomains',
    place: 'userLocation',
    contextSize: 'searchContextSize',
  },
  known: new Set(['filters', 'userLocation', 'searchContextSize']),
  inner: { filters: new Set(['allowedDomains']), userLocation: placeMembers },
}
const vercelAnthropicForm: SearchForm = {
  members: {
    usesMax: 'maxUses',
    allowedDomains: 'allowedDomains',
    blockedDomains: 'blockedDomains',
    place: 'userLocation',
  },
  known: new Set(['maxUses', 'allowedDomains', 'blockedDomains', 'userLocation']),
  inner: { userLocation: placeMembers },
}
const vercelForms: readonly (readonly [id: RegExp, form: SearchForm])[] = [
  [/^openai\.web_search(?:_preview)?$/, vercelOpenAiForm],
  [/^anthropic\.web_search_\d+$/, vercelAnthropicForm],
  [/^google\.google_search$/, { members: {}, known: new Set() }],
]

const responsesType = /^web_search(?:_preview)?(?:_\d{4}_\d{2}_\d{2})?$/
const messagesType = /^web_search_\d+$/

/** What Anthropic calls its search, and a forced one is called here. */
export const searchToolName = 'web_search'

/** Whether a tool of Responses, or the choice of one, is the search of the web. */
export function isSearchOfResponses(tool: JsonObject | undefined): boolean {
  return responsesType.test(asString(tool?.type) ?? '')
}

/** The search that a tool of Responses offers; undefined for any other tool. */
export function searchOfResponses(
  tool: unknown,
  path: string,
  body: JsonObject,
  extra: Map<string, unknown>,
): WebSearch | undefined {
  const value = asObject(tool)
  // Of what OpenAI has kept alone: no other search stays off the web.
  if (!isSearchOfResponses(value) || value?.external_web_access === false) return undefined
  return readSearch(value ?? {}, { path, body, extra, form: responsesForm })
}

/** The search of `web_search_options`, which offers one by being there. */
export function searchOfChat(body: JsonObject, extra: Map<string, unknown>): WebSearch | undefined {
  const value = asObject(body.web_search_options)
  if (value === undefined) return undefined
  return readSearch(value, { path: 'web_search_options', body, extra, form: chatForm })
}

/** The search that a tool of Messages offers; undefined for any other tool. */
export function searchOfMessages(
  tool: unknown,
  path: string,
  extra: Map<string, unknown>,
): WebSearch | undefined {
  const value = asObject(tool)
  if (!messagesType.test(asString(value?.type) ?? '')) return undefined
  return readSearch(value ?? {}, { path, body: {}, extra, form: messagesForm })
}

/** The search of Google, which a tool's `googleSearch` offers by being there. */
export function searchOfGemini(value: unknown, path: string, extra: Map<string, unknown>): WebSearch {
  return readSearch(asObject(value) ?? {}, { path, body: {}, extra, form: geminiForm })
}

/** The search that a provider's tool of the AI SDK offers; undefined for any other tool. */
export function searchOfVercel(
  tool: unknown,
  path: string,
  extra: Map<string, unknown>,
): WebSearch | undefined {
  const value = asObject(tool)
  const id = asString(value?.id) ?? ''
  const form = vercelForms.find(([pattern]) => pattern.test(id))?.[1]
  if (form === undefined) return undefined
  return readSearch(asObject(value?.args) ?? {}, { path: `${path}.args`, body: {}, extra, form })
}

interface Reading {
  readonly path: string
  readonly body: JsonObject
  readonly extra: Map<string, unknown>
  readonly form: SearchForm
}

function readSearch(value: JsonObject, { path, body, extra, form }: Reading): WebSearch {
  keepRest(value, form.known, path, extra)
  for (const [name, known] of Object.entries(form.inner ?? {})) {
    keepRest(asObject(value[name]) ?? {}, known, `${path}.${name}`, extra)
  }
  const { members } = form
  const at = (option: SearchOption): unknown => valueAt(members[option], value, body)
  const usesMax = asCount(at('usesMax'))
  const allowedDomains = domainsOf(at('allowedDomains'))
  const blockedDomains = domainsOf(at('blockedDomains'))
  const place = placeOf(at('place'))
  const contextSize = asString(at('contextSize'))
  return {
    path,
    members,
    value,
    ...(usesMax !== undefined && { usesMax }),
    ...(allowedDomains.length > 0 && { allowedDomains }),
    ...(blockedDomains.length > 0 && { blockedDomains }),
    ...(place !== undefined && { place }),
    ...(contextSize !== undefined && { contextSize }),
  }
}

function valueAt(member: string | undefined, value: JsonObject, body: JsonObject): unknown {
  if (member === undefined) return undefined
  if (member.startsWith('/')) return body[member.slice(1)]
  return member.split('.').reduce<unknown>((at, name) => asObject(at)?.[name], value)
}

function domainsOf(value: unknown): string[] {
  return asArray(value).filter((domain) => typeof domain === 'string')
}

/** Chat Completions has it one level further down. */
function placeOf(value: unknown): SearchPlace | undefined {
  const outer = asObject(value)
  const place = asObject(outer?.approximate) ?? outer
  if (place === undefined) return undefined
  const [city, region, country, timezone] = ['city', 'region', 'country', 'timezone'].map(
    (name) => asString(place[name]) || undefined,
  )
  return {
    ...(city !== undefined && { city }),
    ...(region !== undefined && { region }),
    ...(country !== undefined && { country }),
    ...(timezone !== undefined && { timezone }),
  }
}

/** Where an option stood in the caller's body. */
export function optionPath({ path, members }: WebSearch, option: SearchOption): string {
  const member = members[option] ?? option
  return member.startsWith('/') ? member.slice(1) : `${path}.${member}`
}

/** Names the options that a target's own search does not have. A medium context is what any search gives. */
export function loseOptions(search: WebSearch, options: readonly SearchOption[], losses: Losses): void {
  for (const option of options) {
    const isDefault = option === 'contextSize' && search.contextSize === 'medium'
    if (search[option] !== undefined && !isDefault) losses.drop(optionPath(search, option))
  }
}

/** Refuses a call for a target that has no search of its own. */
export function loseSearch({ webSearch }: ChatPayload, losses: Losses): void {
  if (webSearch === undefined) return
  losses.dropMeaning(webSearch.path, 'The chosen model has no search of the web of its own.')
}
