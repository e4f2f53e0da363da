import type { ExtraRules } from '../lose-extra.ts'

/** Tools that run at Google. */
export const hostedTools = [
  'googleSearch',
  'googleSearchRetrieval',
  'codeExecution',
  'urlContext',
  'googleMaps',
  'fileSearch',
  'computerUse',
  'retrieval',
  'enterpriseWebSearch',
  'mcpServers',
] as const

const config = 'generationConfig.'
const isText = (value: unknown): boolean => typeof value === 'string' && value.toUpperCase() === 'TEXT'

/** Members of Gemini that other formats have not. What runs or is kept at Google, or changes the answer, is meaning. */
export const geminiExtraRules: ExtraRules = {
  meaning: new Set([
    'tools[]',
    ...hostedTools.map((name) => `tools[].${name}`),
    'cachedContent',
    `${config}responseLogprobs`,
    `${config}responseModalities`,
    `${config}speechConfig`,
    `${config}imageConfig`,
    `${config}responseMimeType`,
  ]),
  isDefault: (name, value) =>
    value === false ||
    // It is in the URL.
    name === 'model' ||
    name === 'stream' ||
    // How many to give is nothing where none are given.
    name === `${config}logprobs` ||
    (name === `${config}responseModalities` && Array.isArray(value) && value.every(isText)),
}
