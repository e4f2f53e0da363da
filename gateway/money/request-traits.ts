import type { Call, WireFormat } from '../call.ts'
import { asArray, asObject, asString, isObject, type JsonObject } from '../wire/json-value.ts'
import { listTools } from '../wire/openai-responses/offered-tools.ts'

/** What of a request decides how its cost can be bounded. */
export interface RequestTraits {
  /** Images that come with the request or by URL; each has a documented maximum of tokens. */
  readonly images: number
  /** Bytes of the body that are pictures in base64, and no text. */
  readonly imageBytes: number
  /** Something whose size cannot be seen: documents, sound, stored files, earlier answers. */
  readonly isOpenEnded: boolean
  /** Tools that run at the provider: how often they may, or undefined where nothing limits them. */
  readonly serverTools: { readonly usesMax: number | undefined } | undefined
  /** The answer has parts that are billed and not shown. */
  readonly isHidden: boolean
  /** A tier of service with prices of its own, as it is asked for. */
  readonly pricedTier: string | undefined
}

/** Tools that the caller runs, by format; any other type runs at the provider. Versions follow an underscore. */
const callerTools: Readonly<Record<WireFormat, RegExp>> = {
  'openai-chat': /^(function|custom)$/,
  'openai-responses': /^(function|custom|local_shell|apply_patch|shell|computer_use_preview)$/,
  'anthropic-messages': /^(custom|bash_|text_editor_|computer_|memory_)/,
  gemini: /^never$/,
  'vercel-ai': /^function$/,
}
/** Tiers that cost what the price list says, or less. */
const listTiers = new Set(['default', 'flex', 'auto', 'standard', 'standard_only', 'batch'])
const googleToolName = /^(google|url_?context|code_?execution|enterprise|retrieval|file_?search|computer)/i
/** Where the formats keep what a model reads. */
const contentMembers = [
  ...['messages', 'input', 'contents', 'prompt', 'system'],
  ...['systemInstruction', 'system_instruction'],
] as const
const depthMax = 24

interface Media {
  images: number
  imageBytes: number
  isOpenEnded: boolean
}

/** Google's parts have no type: data of an image, or of something whose size cannot be seen. */
function noteGoogleMedia(value: JsonObject, media: Media): boolean {
  const inline = asObject(value.inlineData ?? value.inline_data)
  if (inline === undefined) {
    const isFile = value.fileData !== undefined || value.file_data !== undefined
    if (isFile) media.isOpenEnded = true
    return isFile
  }
  const mediaType = asString(inline.mimeType ?? inline.mime_type) ?? ''
  if (mediaType.startsWith('image/')) {
    media.images++
    media.imageBytes += asString(inline.data)?.length ?? 0
  } else media.isOpenEnded = true
  return true
}

function noteImage(value: JsonObject, media: Media): void {
  media.images++
  const source = asObject(value.source) ?? asObject(value.image_url)
  const inline = asString(source?.data) ?? asString(source?.url) ?? asString(value.image_url) ?? ''
  if (asString(source?.file_id) !== undefined || asString(value.file_id) !== undefined)
    media.isOpenEnded = true
  media.imageBytes += inline.length > 2048 ? inline.length : 0
}

/** Looks for what is no text. Unknown types count as open-ended only where they carry a file. */
function lookAt(value: unknown, media: Media, depth: number): void {
  if (depth > depthMax) {
    media.isOpenEnded = true
    return
  }
  if (Array.isArray(value)) {
    for (const each of value) if (typeof each === 'object') lookAt(each, media, depth + 1)
    return
  }
  if (!isObject(value)) return
  const type = asString(value.type)
  if (type === 'image' || type === 'image_url' || type === 'input_image') noteImage(value, media)
  else if (isOpenEnded(type, value)) media.isOpenEnded = true
  else if (!noteGoogleMedia(value, media)) {
    for (const name in value) {
      const inner = value[name]
      if (typeof inner === 'object' && inner !== null) lookAt(inner, media, depth + 1)
    }
  }
}

const openEndedTypes = new Set([
  'document',
  'file',
  'input_file',
  'input_audio',
  'audio',
  'container_upload',
  'item_reference',
  'compaction',
])

function isOpenEnded(type: string | undefined, value: JsonObject): boolean {
  return (type !== undefined && openEndedTypes.has(type)) || typeof value.file_id === 'string'
}

/** Google's tools have no type: any member but the functions of the caller names one that runs there. */
function googleTool(tool: JsonObject | undefined): string | undefined {
  return Object.keys(tool ?? {}).find((name) => googleToolName.test(name))
}

function serverToolsOf(call: Call): RequestTraits['serverTools'] {
  const { json } = call
  const pattern = callerTools[call.format]
  let isFound = json.web_search_options !== undefined || asArray(json.mcp_servers).length > 0
  let usesMax: number | undefined = isFound ? undefined : 0
  const tools =
    call.format === 'openai-responses'
      ? listTools(json).others.map(({ value }) => value)
      : asArray(json.tools)
  for (const value of tools) {
    const tool = asObject(value)
    const type = asString(tool?.type) ?? googleTool(tool)
    if (type === undefined || pattern.test(type)) continue
    isFound = true
    // Only there it is a limit; where another format has such a member nobody keeps to it.
    const uses = call.format === 'anthropic-messages' ? tool?.max_uses : undefined
    const isCounted = typeof uses === 'number' && Number.isSafeInteger(uses) && uses >= 0
    usesMax = isCounted && usesMax !== undefined ? usesMax + uses : undefined
  }
  return isFound ? { usesMax } : undefined
}

/** Thinking is billed and not shown as it is, or not at all. */
function isHiddenOf({ json, summary }: Call): boolean {
  const thinking = asString(asObject(json.thinking)?.type)
  const level = summary.reasoningLevel
  return (level !== undefined && level !== 'none') || (thinking !== undefined && thinking !== 'disabled')
}

function pricedTierOf({ json }: Call): string | undefined {
  const tier = asString(json.service_tier)
  if (tier !== undefined && !listTiers.has(tier)) return tier
  if (asString(json.speed) === 'fast') return 'fast'
  return json.inference_geo === undefined || json.inference_geo === null ? undefined : 'inference_geo'
}

/** Reads a request for what bounds its cost. */
export function traitsOf(call: Call): RequestTraits {
  // A session has all of its conversation still before it.
  const isOpenEnded = (call.stored?.length ?? 0) > 0 || call.operation === 'realtime'
  const media: Media = { images: 0, imageBytes: 0, isOpenEnded }
  for (const name of contentMembers) {
    const content = call.json[name]
    if (content !== undefined) lookAt(content, media, 0)
  }
  return {
    images: media.images,
    imageBytes: media.imageBytes,
    isOpenEnded: media.isOpenEnded,
    serverTools: serverToolsOf(call),
    isHidden: isHiddenOf(call),
    pricedTier: pricedTierOf(call),
  }
}
