/** A document that is not taken into use. The message is the reason that the log and control plane are told. */
export class Rejection extends Error {
  constructor(reason: string, options?: { cause?: unknown }) {
    super(reason, options)
    this.name = 'Rejection'
  }
}

/** The reason of a failed take, short enough for an acknowledgement. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.slice(0, reasonLengthMax)
}

const reasonLengthMax = 2048
