import { asArray, asObject, asString, isObject, type JsonObject } from '../json-value.ts'

/** A tool that the caller runs itself. Formats that know only functions know it by one name. */
export interface OfferedTool {
  readonly kind: 'function' | 'custom' | 'toolSearch'
  /** Unique among the tools of a request: `crm__find_customer`. */
  readonly flatName: string
  readonly name: string
  readonly namespace?: string
  readonly definition: JsonObject
  readonly path: string
}
/** Tools that run at the provider or are known to its models alone, and what a namespace says of itself. */
export interface ProviderTool {
  readonly value: unknown
  readonly path: string
}

/** What the tool is called that looks for further tools at the caller. */
export const toolSearchName = 'tool_search'

/** Type of the items of an input that say nothing and offer tools. */
export const additionalTools = 'additional_tools'

/** The one name of a tool in a namespace. */
export function flatToolName(namespace: string | undefined, name: string): string {
  if (namespace === undefined) return name
  return namespace.endsWith('__') ? namespace + name : `${namespace}__${name}`
}

/** Searches that the caller answers, not the provider. */
export function isCallersSearch(item: JsonObject): boolean {
  return item.execution === 'client' && asString(item.call_id) !== undefined
}

/** An item of the input that offers further tools: at any place, or as what a search found. */
function bringsTools(item: JsonObject): boolean {
  return item.type === additionalTools || (item.type === 'tool_search_output' && isCallersSearch(item))
}

/** A request's tools, in whatever place it offers them; those of a namespace one by one. */
export function listTools(json: JsonObject): { offered: OfferedTool[]; others: ProviderTool[] } {
  const offered: OfferedTool[] = []
  const others: ProviderTool[] = []
  const add = (tools: unknown, path: string, namespace?: string): void => {
    for (const [index, value] of asArray(tools).entries()) {
      const at = `${path}[${index}]`
      const tool = asObject(value)
      if (tool?.type === 'namespace' && typeof tool.name === 'string' && namespace === undefined) {
        add(tool.tools, `${at}.tools`, tool.name)
        if (asString(tool.description)) others.push({ value: tool.description, path: `${at}.description` })
      } else {
        const one = readTool(tool, at, namespace)
        if (one === undefined) others.push({ value, path: at })
        else offered.push(one)
      }
    }
  }
  add(json.tools, 'tools')
  for (const [index, item] of asArray(json.input).entries()) {
    if (isObject(item) && bringsTools(item)) add(item.tools, `input[${index}].tools`)
  }
  return { offered, others }
}

function readTool(tool: JsonObject | undefined, path: string, namespace?: string): OfferedTool | undefined {
  if (tool?.type === 'tool_search' && tool.execution === 'client') {
    return { kind: 'toolSearch', flatName: toolSearchName, name: toolSearchName, definition: tool, path }
  }
  const name = asString(tool?.name)
  if (tool === undefined || name === undefined) return undefined
  if (tool.type !== 'function' && tool.type !== 'custom') return undefined
  const flatName = flatToolName(namespace, name)
  const own = { name, flatName, definition: tool, path }
  return { kind: tool.type, ...own, ...(namespace !== undefined && { namespace }) }
}

/** A request's tools by their one name; of two with the same the first. */
export function toolsByFlatName(json: JsonObject): ReadonlyMap<string, OfferedTool> {
  return new Map(
    listTools(json)
      .offered.toReversed()
      .map((tool) => [tool.flatName, tool]),
  )
}
