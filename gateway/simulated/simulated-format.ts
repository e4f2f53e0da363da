import type { SimulatedAnswer, SimulatedRequest } from './compose-answer.ts'

/** What makes an answer's ids and times. */
export interface Stamp {
  /** Made from the request, so that the same one gets the same ids. */
  readonly token: string
  /** Seconds since 1970-01-01 UTC. */
  readonly timeS: number
}

/** A wire format as its vendor speaks it, as far as the simulated provider needs it. */
export interface SimulatedFormat {
  /** `path` is where it was asked, for formats whose body does not name the model. */
  read(body: unknown, path: string): SimulatedRequest
  /** The body of a plain answer. */
  whole(request: SimulatedRequest, answer: SimulatedAnswer, stamp: Stamp, body: unknown): unknown
  /** The events of a streamed answer, as text. */
  stream(request: SimulatedRequest, answer: SimulatedAnswer, stamp: Stamp, body: unknown): string[]
}
