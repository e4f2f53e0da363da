import type { Provider } from '../provider.ts'
import { anthropicMessagesProvider } from '../wire/anthropic-messages/provider.ts'
import { geminiProvider } from '../wire/gemini/provider.ts'
import { readServiceAccount, serviceAccountRequest } from '../wire/google-token.ts'
import { spliceJson } from '../wire/json-splice.ts'
import { asString } from '../wire/json-value.ts'

/** What Claude on Vertex wants in the body in place of a header. */
const claudeVersion = JSON.stringify('vertex-2023-10-16')
const claude = /^claude-/
/** As API keys of Google Cloud begin; anything else that is no key file is an access token. */
const apiKey = /^(?:AIza|AQ\.)/

function hostOf(location: string): string {
  if (location === 'global') return 'aiplatform.googleapis.com'
  if (location === 'us' || location === 'eu') return `aiplatform.${location}.rep.googleapis.com`
  return `${location}-aiplatform.googleapis.com`
}

/** Everything that is asked of a project lies below it; a key file knows its own. */
function baseUrlOf({ project, region, credential }: Parameters<NonNullable<Provider['baseUrlOf']>>[0]) {
  const owner = project ?? asString(readServiceAccount(credential)?.project_id)
  if (owner === undefined) return undefined
  const location = region ?? 'global'
  return `https://${hostOf(location)}/v1/projects/${owner}/locations/${location}`
}

function authenticate(credential: string | undefined): Record<string, string> {
  if (credential === undefined) return {}
  return apiKey.test(credential)
    ? { 'x-goog-api-key': credential }
    : { authorization: `Bearer ${credential}` }
}

const shared = {
  id: 'vertex',
  baseUrl: undefined,
  telemetryName: 'gcp.vertex_ai',
  vendor: 'google',
} as const
const access = {
  baseUrlOf,
  authenticate,
  tokenRequest: serviceAccountRequest,
} as const

/** Versions stand behind an @ there: `claude-sonnet-4-5@20250929`. */
function modelPath(publisher: string, model: string): string {
  return `/publishers/${publisher}/models/${encodeURIComponent(model).replaceAll('%40', '@')}`
}

const messages = anthropicMessagesProvider(shared)

/** Claude: Messages, but that the model is in the path and the version in the body. */
const claudeOnVertex: Provider = {
  ...messages,
  ...access,
  encodeRequest(call, options) {
    const { headers, body, ...request } = messages.encodeRequest(call, options)
    const { 'anthropic-version': _version, ...rest } = headers
    const method = call.stream ? 'streamRawPredict' : 'rawPredict'
    return {
      ...request,
      path: `${modelPath('anthropic', options.model)}:${method}`,
      headers: rest,
      body: spliceJson(body, [
        { path: ['model'], value: undefined },
        { path: ['anthropic_version'], value: claudeVersion },
      ]),
    }
  },
}

/** Google Vertex AI: Gemini and Claude in a project of Google Cloud, as a service account. */
export const provider: Provider = {
  ...geminiProvider({ ...shared, authenticate, modelPath: (model) => modelPath('google', model) }),
  ...access,
  otherFormats: { 'anthropic-messages': claudeOnVertex },
  formatsOf: (model) => (claude.test(model) ? ['anthropic-messages'] : ['gemini']),
}
