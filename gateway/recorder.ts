/** Takes the record of each call. Never waits, never throws; what cannot be kept is counted and becomes a gap. */
export interface Recorder {
  /** Next sequence of this incarnation; taken once per call, at its end. */
  nextSequence(): number
  /** The record of that sequence as JSON; undefined where it could not be made. */
  record(sequence: number, text: string | undefined): void
}
