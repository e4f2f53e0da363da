import type { RedactedSpan } from '@signalbox/policies'
import { outputParts, Refusal, type Verdict } from '@signalbox/sdk/contract'
import type { Call } from '../call.ts'
import type { Dialect } from '../dialect.ts'
import type { GatewayParts } from '../parts.ts'
import { decode } from '../steps/decode.ts'
import type { Trail } from '../trail.ts'
import { type AskingOthers, askOthers } from './ask-others.ts'
import { type Guard, type GuardScope, guardsOf } from './guard.ts'
import { bodyOf, findingsOf, type GuardedText, isJsonText, partsOf, withTools } from './guarded-text.ts'
import { askGuard, brokenOutcome, type Looking, type Outcome, type Surroundings } from './judge-text.ts'
import { Placeholders } from './placeholders.ts'
import type { JoinedText } from './screened-body.ts'
import { TextFindings } from './text-findings.ts'
import { enforces, note, type Seen, type Stop, skippedVerdict, stopOf, verdictOf } from './verdict-log.ts'

/** What guards made of a body. */
export interface ScreenedBytes {
  readonly body: Buffer
  readonly changed: boolean
  readonly stop: Stop | undefined
  /** Another target may give an answer that fits. */
  readonly retry: boolean
}
export type ScreenedCall = { readonly call: Call } | { readonly stop: Stop }
interface Judged {
  readonly guard: Guard
  readonly outcome: Outcome
  readonly text: JoinedText | undefined
  readonly spans: readonly RedactedSpan[]
  readonly done?: Verdict['action']
}

/** What is known of a call when its guards are made. */
export interface GuardedCall {
  readonly call: Call
  readonly trail: Trail
  readonly parts: GatewayParts
  readonly scope: GuardScope
  /** Targets that the plan may go to. */
  readonly targets: readonly string[]
}

/** The guardrails of one call: what they said so far, and what was taken out and can be put back. */
export class CallGuards {
  readonly input: readonly Guard[]
  readonly output: readonly Guard[]
  readonly placeholders = new Placeholders()
  readonly #guarded: GuardedCall
  /** What is looked at when the caller has his answer. */
  readonly #later: (() => Promise<void>)[] = []

  constructor(guarded: GuardedCall, guards: NonNullable<ReturnType<typeof guardsOf>>) {
    this.#guarded = guarded
    const { trail, parts } = guarded
    for (const guard of [...guards.input, ...guards.output]) {
      if (guard.skipped) note(trail.verdicts, skippedVerdict(guard, parts.clock()))
    }
    this.input = guards.input.filter(({ skipped }) => !skipped)
    this.output = guards.output.filter(({ skipped }) => !skipped)
  }

  get hasTools(): boolean {
    return this.#guarded.call.summary.toolNames.length > 0
  }

  /** What guards may know beside the text; `target` is the one that answers. */
  around(target: string | undefined, stream = false): Surroundings {
    const { call, trail, scope, targets } = this.#guarded
    return {
      snapshot: scope.snapshot,
      metadata: trail.metadata,
      target,
      stream,
      names: {
        models: target === undefined ? [...new Set([call.model, ...targets])] : [target],
        tools: call.summary.toolNames,
      },
    }
  }

  /**
   * Shows the call to its input guards, before any upstream is asked. What they take out is taken out of the bytes
   * where it stands, and the call is read again.
   */
  async screenCall(dialect: Dialect): Promise<ScreenedCall> {
    const { call } = this.#guarded
    if (this.input.length === 0) return { call }
    const body = call.native?.upload === undefined ? bodyOf(call.raw) : undefined
    const screened = await this.#screen(this.input, { body, around: this.around(undefined) }, call.raw)
    if (screened.stop !== undefined) return { stop: screened.stop }
    if (!screened.changed) return { call }
    return { call: decode(screened.body, dialect, { operation: call.operation }, call.head) }
  }

  /**
   * Shows a whole answer, of an attempt or of the cache, as it would go out, to the output guards, and puts back what
   * was taken out of the call.
   */
  async screenAnswer(bytes: Buffer, target: string, attempt?: number): Promise<ScreenedBytes> {
    const around = this.around(target)
    const guarded = { body: bodyOf(bytes), around, ...(attempt !== undefined && { attempt }) }
    const screened = await this.#screen(this.output, guarded, bytes)
    return screened.stop === undefined ? this.#restored(screened) : screened
  }

  /** The same with the blocks of a stream that was held to its end. */
  async screenStream(
    bytes: Buffer,
    {
      target,
      attempt,
      tools,
    }: { readonly target: string; readonly attempt: number; readonly tools: readonly string[] },
  ): Promise<ScreenedBytes> {
    const around = withTools(this.around(target, true), tools)
    const screened = await this.#screen(
      this.output,
      { body: bodyOf(bytes), around, attempt, stream: true },
      bytes,
    )
    return screened.stop === undefined ? this.#restored(screened) : screened
  }

  /** Why an answer cannot go out that nobody here can read; undefined where no guard asks for it. */
  refusalOfUnseen(): Refusal | undefined {
    const guard = this.output.find((each) => enforces(each) && each.onError === 'block')
    const outcome = brokenOutcome('notScanned')
    const nowMs = this.#guarded.parts.clock()
    const none = { scannedChars: 0, deliveredChars: 0, startMs: nowMs, endMs: nowMs }
    for (const each of this.output) this.noteVerdict(verdictOf(each, outcome, none))
    return guard === undefined ? undefined : stopOf(guard, outcome, false)?.refusal
  }

  /**
   * Whether a stream can be read as it comes.
   * @throws Refusal `unsupported_feature` where it cannot, and a guard has to.
   */
  checkStream(): void {
    const { call } = this.#guarded
    const reads =
      this.output.some((guard) => enforces(guard) && guard.stream !== 'post') || !this.placeholders.isEmpty
    if (!call.stream || !reads) return
    if (call.native !== undefined) {
      const refusal = this.refusalOfUnseen()
      if (refusal !== undefined) throw refusal
    } else if ((call.summary.choices ?? 1) > 1) {
      throw new Refusal('unsupported_feature', {
        message: 'A guardrail reads this answer while it comes, which it can do for one choice only.',
        param: 'n',
      })
    }
  }

  #restored(screened: ScreenedBytes): ScreenedBytes {
    if (this.placeholders.isEmpty) return screened
    const body = bodyOf(screened.body)
    if (body === undefined) return screened
    const edits = body.places.flatMap((place) => {
      if (!outputParts.includes(place.part)) return []
      const text = this.placeholders.restore(place.text, place.nested)
      return text === place.text ? [] : [{ place, text }]
    })
    return edits.length === 0 ? screened : { ...screened, body: body.rewritten(edits), changed: true }
  }

  async #screen(guards: readonly Guard[], guarded: GuardedText, bytes: Buffer): Promise<ScreenedBytes> {
    const inTime = guards.filter(({ level }) => level !== 'shadow')
    for (const guard of guards) {
      if (guard.level === 'shadow')
        this.#later.push(async () => void (await this.#judged(guard, guarded, [])))
    }
    const noted: ((stopped: boolean) => void)[] = []
    const all = await Promise.all(inTime.map((guard) => this.#judged(guard, guarded, noted)))
    let stop: Stop | undefined
    let retry = false
    for (const { guard, outcome, done } of all) {
      if (stop !== undefined || done !== undefined) continue
      stop = stopOf(guard, outcome, this.hasTools)
      retry = stop !== undefined && outcome.verdict === 'fail' && isJsonText(guard)
    }
    for (const each of noted) each(stop !== undefined)
    const changes = all.flatMap(({ text, spans }) =>
      text === undefined || spans.length === 0 ? [] : [{ joined: text, spans }],
    )
    if (stop !== undefined || changes.length === 0 || guarded.body === undefined) {
      return { body: bytes, changed: false, stop, retry }
    }
    return { body: guarded.body.edited(changes), changed: true, stop: undefined, retry: false }
  }

  /** Asks one guard, and notes what it said once it is known whether anything went on. */
  async #judged(
    guard: Guard,
    { body, around, attempt, stream }: GuardedText,
    noted: ((stopped: boolean) => void)[],
  ): Promise<Judged> {
    const { parts, trail, call } = this.#guarded
    const startMs = parts.clock()
    const text = body?.joined(partsOf(guard, call.native !== undefined))
    let judged: Judged
    if (text === undefined) judged = { guard, outcome: brokenOutcome('notScanned'), text, spans: [] }
    else {
      const asking: AskingOthers = { parts, trail, snapshot: around.snapshot, metadata: around.metadata }
      const looking: Looking = {
        findings: findingsOf(text),
        isCut: text.scannedChars < text.chars,
        around,
        ask: (guardrail, asked) => askOthers(guardrail, asked, asking),
      }
      const outcome = await askGuard(guard, looking)
      judged = (await this.#repaired(guard, outcome, text, looking)) ?? this.#redacted(guard, outcome, text)
    }
    const endMs = parts.clock()
    const chars = text?.chars ?? 0
    const taken = judged.spans.reduce((sum, { start, end }) => sum + end - start, 0)
    const finish = (stopped: boolean): void => {
      const seen: Seen = {
        ...{ startMs, endMs, scannedChars: text?.scannedChars ?? 0 },
        deliveredChars: stopped ? 0 : Math.max(0, chars - taken),
        ...(attempt !== undefined && { attempt }),
        ...(stream === true && { stream: guard.stream }),
        ...(judged.done !== undefined && { done: judged.done }),
      }
      note(trail.verdicts, verdictOf(guard, judged.outcome, seen))
    }
    if (guard.level === 'shadow') finish(false)
    else noted.push(finish)
    return judged
  }

  #redacted(guard: Guard, outcome: Outcome, text: JoinedText): Judged {
    const spans =
      enforces(guard) && outcome.verdict === 'fail' ? this.placeholders.of(outcome.spans, text.text) : []
    return { guard, outcome, text, spans }
  }

  /** An answer that is no JSON of its schema, but was meant to be. */
  async #repaired(
    guard: Guard,
    outcome: Outcome,
    text: JoinedText,
    looking: Looking,
  ): Promise<Judged | undefined> {
    if (outcome.verdict !== 'fail' || !enforces(guard) || text.pieces.length !== 1) return undefined
    for (const { repair } of guard.local.values()) {
      const replacement = repair?.(text.text)
      if (replacement === undefined) continue
      const after = await askGuard(guard, { ...looking, findings: new TextFindings(replacement) })
      if (after.verdict !== 'pass') continue
      const spans = [{ start: 0, end: text.text.length, replacement }]
      return { guard, outcome, text, spans, done: 'repair' }
    }
    return undefined
  }

  /** Has something looked at when the caller has his answer. */
  lookLater(look: () => Promise<void>): void {
    this.#later.push(look)
  }

  /** Shows a text to a guard that looks without a say. */
  async observe(
    guard: Guard,
    bytes: Buffer,
    {
      target,
      attempt,
      tools,
    }: { readonly target: string; readonly attempt: number; readonly tools: readonly string[] },
  ): Promise<void> {
    const around = withTools(this.around(target, true), tools)
    const noted: ((stopped: boolean) => void)[] = []
    await this.#judged(guard, { body: bodyOf(bytes), around, attempt, stream: true }, noted)
    for (const each of noted) each(false)
  }

  /** Ends the work of the guards, after the answer and before the record. */
  async finish(): Promise<void> {
    for (const look of this.#later.splice(0)) await look()
  }

  /** Notes what a guard said of a stream. */
  noteVerdict(verdict: Verdict): void {
    note(this.#guarded.trail.verdicts, verdict)
  }
}

/**
 * The guardrails of a call; undefined where its decision demands none, so that such a call does nothing for them.
 * @throws Refusal `policy_invalid_decision` where one is demanded that no active version has.
 */
export function callGuards(
  guarded: GuardedCall,
  decision: Parameters<typeof guardsOf>[0],
): CallGuards | undefined {
  const guards = guardsOf(decision, guarded.scope)
  return guards === undefined ? undefined : new CallGuards(guarded, guards)
}
