/**
 * The error table: every way a call or an administrative request can end other than well.
 * Codes are part of the API. `message` is what the caller reads: short, fixed, without internals; the detail goes
 * to the log and the record. Each dialect wraps it in its own error body.
 */
export interface ErrorKind {
  /** HTTP status. */
  readonly status: number
  /** Whether the same request may succeed if sent again unchanged. */
  readonly retryable: boolean
  /** What the caller is told when the thrower has nothing more exact to say. */
  readonly message: string
}

export const errorTable = {
  key_missing: { status: 401, retryable: false, message: 'No API key was sent.' },
  key_invalid: { status: 401, retryable: false, message: 'The API key is not known here.' },
  key_revoked: { status: 401, retryable: false, message: 'The API key has been revoked or has expired.' },
  forbidden: { status: 403, retryable: false, message: 'This is not allowed for the caller.' },
  policy_denied: { status: 403, retryable: false, message: 'A policy denied the call.' },
  no_eligible_model: { status: 403, retryable: false, message: 'No model is left that the policies allow.' },
  not_found: { status: 404, retryable: false, message: 'There is no such object.' },
  route_not_found: { status: 404, retryable: false, message: 'There is no such endpoint.' },
  method_not_allowed: { status: 405, retryable: false, message: 'The endpoint does not take this method.' },
  model_not_found: { status: 404, retryable: false, message: 'The model is not known here.' },
  connection_unavailable: {
    status: 503,
    retryable: false,
    message: 'The connection for this model has no credential.',
  },
  invalid_request: { status: 400, retryable: false, message: 'The request is not valid.' },
  metadata_invalid: { status: 400, retryable: false, message: 'The metadata is not of the declared type.' },
  unsupported_feature: {
    status: 400,
    retryable: false,
    message: 'The chosen model cannot do what was asked.',
  },
  request_too_large: { status: 413, retryable: false, message: 'The request body is too large.' },
  already_exists: { status: 409, retryable: false, message: 'An object of this name exists already.' },
  conflict: { status: 409, retryable: false, message: 'The object was changed by somebody else.' },
  check_failed: { status: 422, retryable: false, message: 'The workspace does not pass its checks.' },
  rate_limited: { status: 429, retryable: true, message: 'Too many requests.' },
  concurrency_limited: { status: 429, retryable: true, message: 'Too many requests at the same time.' },
  budget_exhausted: { status: 402, retryable: false, message: 'The budget is used up.' },
  price_unknown: { status: 402, retryable: false, message: 'The price of this model is not known.' },
  guardrail_blocked: { status: 400, retryable: false, message: 'A guardrail blocked the content.' },
  guardrail_failed: { status: 503, retryable: true, message: 'A guardrail could not do its work.' },
  policy_timeout: { status: 503, retryable: true, message: 'A policy did not finish in its limits.' },
  policy_memory: { status: 503, retryable: true, message: 'A policy used more memory than it may.' },
  policy_exception: { status: 503, retryable: true, message: 'A policy failed.' },
  policy_invalid_decision: { status: 503, retryable: true, message: 'A policy returned no valid decision.' },
  upstream_unavailable: { status: 502, retryable: true, message: 'The provider could not be reached.' },
  upstream_reset: { status: 502, retryable: true, message: 'The provider broke off the answer.' },
  upstream_invalid: {
    status: 502,
    retryable: true,
    message: 'The provider sent an answer that makes no sense.',
  },
  upstream_error: { status: 502, retryable: true, message: 'The provider refused the request.' },
  upstream_timeout: { status: 504, retryable: true, message: 'The provider did not answer in time.' },
  client_closed: { status: 499, retryable: false, message: 'The caller went away.' },
  not_ready: { status: 503, retryable: true, message: 'The gateway has no valid configuration yet.' },
  draining: { status: 503, retryable: true, message: 'The gateway is shutting down.' },
  internal: { status: 500, retryable: true, message: 'Something went wrong here.' },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof errorTable

/**
 * The one thing that is thrown on purpose: an expected ending. Anything else that is thrown is a bug and becomes
 * `internal`, with its detail in the log only.
 */
export class Refusal extends Error {
  readonly code: ErrorCode
  /** HTTP status; the table's unless a policy's own `http` replaces it. */
  readonly status: number
  /** A policy's own code (`TIER_BLOCKED`), shown to the caller instead of `code`. */
  readonly policyCode: string | undefined
  /** Seconds to wait, for `Retry-After`. */
  readonly retryAfterS: number | undefined
  /** The member of the request the error is about, in the caller's dialect: `messages[0].role`. */
  readonly param: string | undefined
  /** For the log and the record only. */
  readonly detail: string | undefined

  constructor(
    code: ErrorCode,
    options: {
      message?: string
      status?: number
      policyCode?: string
      retryAfterS?: number
      param?: string
      detail?: string
      cause?: unknown
    } = {},
  ) {
    super(
      options.message ?? errorTable[code].message,
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.name = 'Refusal'
    this.code = code
    this.status = options.status ?? errorTable[code].status
    this.policyCode = options.policyCode
    this.retryAfterS = options.retryAfterS
    this.param = options.param
    this.detail = options.detail
  }

  /** What the caller reads as the machine code. */
  get publicCode(): string {
    return this.policyCode ?? this.code
  }
}
