/** So much of what the control plane says of a refusal is repeated. */
const saidCharsMax = 300

/** The control plane could not be reached (`status` 0), or answered with something else than was asked for. */
export class ControlPlaneError extends Error {
  readonly status: number
  /** The control plane's own words, where it has any. */
  readonly said: string | undefined
  constructor(status: number, message: string, options?: { cause?: unknown; said?: string | undefined }) {
    super(message, options)
    this.said = options?.said
    this.name = 'ControlPlaneError'
    this.status = status
  }
}

/** What an error's body says for people, as far as it is one of the control plane. */
function messageIn(text: string): string | undefined {
  try {
    const message: unknown = JSON.parse(text)?.error?.message
    return typeof message === 'string' ? message.slice(0, saidCharsMax) : undefined
  } catch {
    return undefined
  }
}

/** An answer that is an error, with its code and its reason. */
export function errorFrom(status: number, text: string, what: string): ControlPlaneError {
  const code = /"code"\s*:\s*"([a-z_]{1,64})"/.exec(text)?.[1]
  const said = messageIn(text)
  const detail = `${code === undefined ? '' : ` (${code})`}${said === undefined ? '' : `: ${said}`}`
  return new ControlPlaneError(status, `${what} was answered with ${status}${detail}`, { said })
}
