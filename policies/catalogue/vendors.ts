/** What is known of all models of one vendor. */
export interface Vendor {
  /** Our name; the native connections are called the same. */
  readonly name: string
  /** The price package's name. */
  readonly dataId: string
  /** Only these ids are the vendor's own; the data list some that it serves by another API. */
  readonly only?: RegExp
  /**
   * Whether the vendor stops billing when the client goes away; absent where that is not known. From
   * OpenRouter's list of providers that support stream cancellation,
   * openrouter.ai/docs/api-reference/streaming.
   */
  readonly abortStopsBilling?: boolean
  /**
   * Models whose reasoning is billed but not sent in full, so that output cannot be counted while it streams.
   */
  readonly hidden?: RegExp
  /** Models whose whole billed output is sent. A model that fits neither is not known. */
  readonly visible?: RegExp
  /** How the vendor marks a snapshot behind the name of a model; `#` stands for a digit. */
  readonly snapshot?: string
}

/**
 * Vendors of the catalogue. The order is the order of search for a model without a vendor, so the makers of
 * models stand before those who host models of others.
 */
export const vendors: readonly Vendor[] = [
  {
    name: 'openai',
    dataId: 'openai',
    snapshot: '-####-##-##',
    abortStopsBilling: true,
    hidden: /^(o[1-9]|gpt-([5-9])(?!.*-chat)|codex-|computer-use)/,
    visible: /^(gpt-3|gpt-4|chatgpt-|gpt-5.*-chat)/,
  },
  {
    // Claude 4 and later send a summary of their thinking and bill the whole; older ones send what they bill.
    name: 'anthropic',
    dataId: 'anthropic',
    snapshot: '-########',
    abortStopsBilling: true,
    hidden: /^claude-(opus|sonnet|haiku|fable|mythos)-[4-9]/,
    visible: /^claude-(2|3|v1)/,
  },
  {
    name: 'google',
    dataId: 'google',
    snapshot: '-0##',
    only: /^(gemini|gemma)/,
    abortStopsBilling: false,
    hidden: /^gemini-(2\.5|[3-9])/,
    visible: /^(gemini-(1|2\.0)|gemma)/,
  },
  { name: 'mistral', dataId: 'mistral', abortStopsBilling: false, visible: /./ },
  {
    name: 'xai',
    dataId: 'x-ai',
    snapshot: '-########',
    abortStopsBilling: true,
    hidden: /^grok-(3-mini|4(?!.*non-reasoning)|code|build)/,
    visible: /^grok-(2|3(?!-mini)|4.*non-reasoning)/,
  },
  { name: 'deepseek', dataId: 'deepseek', abortStopsBilling: true, visible: /./ },
  { name: 'cohere', dataId: 'cohere', abortStopsBilling: true },
  { name: 'moonshotai', dataId: 'moonshotai' },
  { name: 'zai', dataId: 'zai' },
  { name: 'minimax', dataId: 'minimax' },
  { name: 'voyageai', dataId: 'voyageai' },
  { name: 'perplexity', dataId: 'perplexity', abortStopsBilling: false },
  { name: 'groq', dataId: 'groq', abortStopsBilling: false },
  { name: 'cerebras', dataId: 'cerebras' },
  { name: 'together', dataId: 'together', abortStopsBilling: true },
  { name: 'fireworks', dataId: 'fireworks', abortStopsBilling: true },
  // OpenRouter lists Bedrock among those that bill on after the client has gone.
  { name: 'bedrock', dataId: 'aws', abortStopsBilling: false },
  { name: 'azure-openai', dataId: 'azure', abortStopsBilling: true },
  { name: 'novita', dataId: 'novita' },
  { name: 'ovhcloud', dataId: 'ovhcloud' },
  { name: 'baseten', dataId: 'baseten' },
  { name: 'avian', dataId: 'avian' },
  { name: 'openrouter', dataId: 'openrouter' },
]

/** Whether the whole billed output of a vendor's model is sent; undefined where that is not known. */
export function visibleOutputOf(vendor: Vendor, id: string): boolean | undefined {
  if (vendor.hidden?.test(id) === true) return false
  return vendor.visible?.test(id) === true ? true : undefined
}
