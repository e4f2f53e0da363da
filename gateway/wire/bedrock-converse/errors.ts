import type { UpstreamFailure } from '../../provider.ts'
import { classifyStatus } from '../failure.ts'
import { asObject, asString } from '../json-value.ts'

/** Exceptions whose status says less than their name; ConverseStream sends them as events, with no status at all. */
const byName: Readonly<Record<string, Pick<UpstreamFailure, 'errorClass' | 'fallback'>>> = {
  throttlingException: { errorClass: 'rateLimit', fallback: true },
  serviceUnavailableException: { errorClass: 'overload', fallback: true },
  modelNotReadyException: { errorClass: 'overload', fallback: true },
  modelTimeoutException: { errorClass: 'timeout', fallback: true },
  modelStreamErrorException: { errorClass: 'unavailable', fallback: true },
  validationException: { errorClass: 'invalid', fallback: false },
}

/** Why Bedrock refused, by the exception's name where the body has it (`__type`), else by status. */
export function classifyConverseFailure(status: number, body: unknown): UpstreamFailure {
  const json = asObject(body)
  const type = asString(json?.__type) ?? asString(asObject(json?.error)?.code)
  const code = type?.slice(type.lastIndexOf('#') + 1)
  const message = asString(json?.message) ?? asString(json?.Message)
  const name = code === undefined ? '' : code.charAt(0).toLowerCase() + code.slice(1)
  const known = Object.hasOwn(byName, name) ? byName[name] : undefined
  return {
    ...(known ?? classifyStatus(status)),
    ...(code !== undefined && { code }),
    ...(message !== undefined && { message }),
  }
}
