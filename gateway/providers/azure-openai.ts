import type { EncodeOptions, Provider, TokenRequest, UpstreamRequest } from '../provider.ts'
import { asObject, asString, type JsonObject } from '../wire/json-value.ts'
import { openAiChatProvider } from '../wire/openai-chat/provider.ts'
import { openAiQuirks } from '../wire/openai-chat/quirks.ts'
import { openAiResponsesProvider } from '../wire/openai-responses/provider.ts'

const options = {
  id: 'azure-openai',
  baseUrl: undefined,
  telemetryName: 'azure.ai.openai',
  vendor: 'azure-openai',
  quirks: openAiQuirks,
} as const

/** Tokens of Entra are JSON web tokens and go as bearers; keys of the resource have a header of their own. */
const isToken = (credential: string): boolean => /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(credential)

/**
 * A service principal: JSON with `tenantId`, `clientId`, `clientSecret`, and `authority` for other clouds. Source:
 * learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow.
 */
function tokenRequest(credential: string): TokenRequest | undefined {
  if (!credential.startsWith('{')) return undefined
  let json: JsonObject | undefined
  try {
    json = asObject(JSON.parse(credential))
  } catch {
    return undefined
  }
  const tenantId = asString(json?.tenantId)
  const clientId = asString(json?.clientId)
  const clientSecret = asString(json?.clientSecret)
  if (tenantId === undefined || clientId === undefined || clientSecret === undefined) return undefined
  const scope = asString(json?.scope) ?? 'https://cognitiveservices.azure.com/.default'
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, scope }
  return {
    baseUrl: asString(json?.authority) ?? 'https://login.microsoftonline.com',
    path: `/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`,
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: Buffer.from(new URLSearchParams(form).toString()),
  }
}

/** Operations of a deployment, which stands in their path. */
const ofDeployment = /^\/(?:chat\/completions|completions|embeddings|images\/|audio\/)/

/**
 * With an `apiVersion` the deployment stands in the path; without one the v1 API is asked, which takes the deployment
 * as the model. Source: learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle.
 */
function pathOf(path: string, { model, apiVersion }: Pick<EncodeOptions, 'model' | 'apiVersion'>): string {
  if (apiVersion === undefined) return `/openai/v1${path}`
  const version = `${path.includes('?') ? '&' : '?'}api-version=${encodeURIComponent(apiVersion)}`
  // Responses and files have no deployment in their path: it is the model of the body, or there is none.
  if (!ofDeployment.test(path)) return `/openai${path}${version}`
  return `/openai/deployments/${encodeURIComponent(model)}${path}${version}`
}

function onAzure(provider: Provider): Provider {
  return {
    ...provider,
    encodeRequest(call, encoding): UpstreamRequest {
      const request = provider.encodeRequest(call, encoding)
      return { ...request, path: pathOf(request.path, encoding) }
    },
    operationPath: pathOf,
    tokenRequest,
    authenticate(credential) {
      if (credential === undefined) return {}
      return isToken(credential) ? { authorization: `Bearer ${credential}` } : { 'api-key': credential }
    },
  }
}

/**
 * OpenAI's models on Azure. The base URL is the resource's endpoint (`https://NAME.openai.azure.com`), the model of a
 * target is the name of a deployment.
 */
export const provider: Provider = {
  ...onAzure(openAiChatProvider(options)),
  otherFormats: { 'openai-responses': onAzure(openAiResponsesProvider(options)) },
  spokenFormats: ['openai-chat', 'openai-responses'],
}
