import type { Candidate, Deployment, PromoteVersionInput, RampStep, Version } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api, explainError } from '../api.ts'
import { shared } from '../ui/styles.ts'

const whole = 1_000_000
const ways = [
  ['share', 'A share of the callers', 'a candidate beside stable, watched by guards'],
  ['all', 'Everybody', 'it becomes the stable version'],
  ['shadow', 'Nobody: it looks on', 'a shadow: evaluated beside stable, without any effect'],
] as const
type Way = (typeof ways)[number][0]
const kinds = ['user', 'session', 'key'] as const
const rampUsual: readonly RampStep[] = [
  { ppm: 50_000, minMs: 1_800_000, minCalls: 300 },
  { ppm: 250_000, minMs: 7_200_000, minCalls: 300 },
  { ppm: whole, minMs: 0, minCalls: 0 },
]

/** Deploys a version: to everybody, to a share of the callers, or as a shadow. Fires `done`. */
export class PromoteForm extends LitElement {
  static override properties = {
    environment: {},
    current: { attribute: false },
    versions: { attribute: false },
    way: { state: true },
    ramp: { state: true },
    version: { state: true },
    error: { state: true },
    busy: { state: true },
  }
  declare environment: string
  /** What is deployed now; undefined where nothing is. */
  declare current: Deployment | undefined
  /** Of the workspace, newest first. */
  declare versions: readonly Version[]
  declare way: Way
  declare ramp: readonly RampStep[] | undefined
  declare version: number
  declare error: string
  declare busy: boolean

  constructor() {
    super()
    this.environment = ''
    this.current = undefined
    this.versions = []
    this.way = 'share'
    this.ramp = undefined
    this.version = 0
    this.error = ''
    this.busy = false
  }

  /** Opens on the running candidate, else on the newest version that is not stable. */
  async open(): Promise<void> {
    const { current } = this
    this.version = current?.candidate?.version ?? this.#choices()[0]?.version ?? 0
    this.way = current === undefined ? 'all' : 'share'
    this.ramp = undefined
    this.error = ''
    await this.updateComplete
    this.renderRoot.querySelector('dialog')?.showModal()
  }

  #choices(): readonly Version[] {
    return this.versions.filter(({ digest }) => digest !== this.current?.stable.digest)
  }

  #close(): void {
    this.renderRoot.querySelector('dialog')?.close()
  }

  #wanted(form: FormData): PromoteVersionInput {
    const text = (name: string): string => String(form.get(name) ?? '').trim()
    const teams = text('teams')
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '')
    const reason = text('reason')
    const by = kinds.find((each) => each === text('by'))
    const share = {
      ...(this.ramp === undefined
        ? { canaryPpm: Math.round(Number(text('share')) * 10_000) }
        : { ramp: [...this.ramp] }),
      ...(teams.length === 0 ? {} : { teams }),
      ...(by === undefined ? {} : { by }),
    }
    return {
      version: `v${this.version}`,
      environment: this.environment,
      ...(this.way === 'share' ? share : {}),
      ...(this.way === 'shadow' ? { shadow: true } : {}),
      ...(reason === '' ? {} : { reason }),
      ...(this.current === undefined ? {} : { revision: this.current.revision }),
    }
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    if (this.busy) return
    this.busy = true
    this.error = ''
    try {
      await api().promoteVersion(this.#wanted(new FormData(event.target as HTMLFormElement)))
      this.#close()
      this.dispatchEvent(new CustomEvent('done'))
    } catch (error) {
      this.error = explainError(error)
    }
    this.busy = false
  }

  #change(index: number, change: Partial<RampStep>): void {
    this.ramp = this.ramp?.map((step, at) => (at === index ? { ...step, ...change } : step))
  }

  #addStep(): void {
    const steps = this.ramp ?? []
    const before = steps.at(-2) ?? { ppm: 10_000, minMs: 1_800_000, minCalls: 300 }
    const ppm = Math.round((before.ppm + whole) / 2)
    this.ramp = [...steps.slice(0, -1), { ...before, ppm }, ...steps.slice(-1)]
  }

  #step(step: RampStep, index: number, last: boolean) {
    const field = (name: string, value: number, unit: string, take: (value: number) => Partial<RampStep>) =>
      html`<span class="unit"><input type="number" min="0" step="any" required aria-label="${name} of step ${index + 1}" .value=${String(value)}
        @change=${(event: Event) => this.#change(index, take(Number((event.target as HTMLInputElement).value)))} /> ${unit}</span>`
    return html`<li>
      ${field('Share', step.ppm / 10_000, '%', (value) => ({ ppm: Math.round(value * 10_000) }))}
      ${
        last && step.ppm === whole
          ? html`<span class="muted">then it is stable</span>`
          : html`${field('Minutes', step.minMs / 60_000, 'min', (value) => ({ minMs: Math.round(value * 60_000) }))}
            ${field('Calls', step.minCalls, 'calls', (value) => ({ minCalls: Math.round(value) }))}`
      }
      <button type="button" class="quiet" aria-label="Take step ${index + 1} away" ?disabled=${this.ramp?.length === 1}
        @click=${() => {
          this.ramp = this.ramp?.filter((_, at) => at !== index)
        }}>✕</button>
    </li>`
  }

  #share(candidate: Candidate | null) {
    const { ramp } = this
    return html`<fieldset>
      <legend>Which share</legend>
      <label class="choice"><input type="radio" name="plan" value="fixed" ?checked=${ramp === undefined} @change=${() => {
        this.ramp = undefined
      }} /> stays until somebody changes it</label>
      <label class="choice"><input type="radio" name="plan" value="ramp" ?checked=${ramp !== undefined} @change=${() => {
        this.ramp = rampUsual
      }} /> rises step by step while the guards are content</label>
      ${
        ramp === undefined
          ? html`<label>Share of the callers, in percent
              <input name="share" type="number" min="0.0001" max="100" step="0.0001" required value=${candidate === null ? '5' : String(candidate.ppm / 10_000)} /></label>`
          : html`<ol>${ramp.map((step, index) => this.#step(step, index, index === ramp.length - 1))}</ol>
            <button type="button" ?disabled=${ramp.length >= 16} @click=${() => this.#addStep()}>Add step</button>
            <p class="muted small">Each step lasts at least so long and waits for so many calls of the candidate. Too little traffic holds it, never promotes it.</p>`
      }
      <label>Only for teams <input name="teams" placeholder="all; or search, labs" value=${candidate?.teams.join(', ') ?? ''} /></label>
      <label>Callers are told apart by
        <select name="by" ?disabled=${candidate !== null}>${kinds.map((each) => html`<option value=${each} ?selected=${each === (candidate?.by ?? 'user')}>${each}</option>`)}</select>
      </label>
    </fieldset>`
  }

  #versionChoice(running: Candidate | null) {
    if (running !== null && this.way !== 'shadow') {
      return html`<p>v${running.version} <span class="muted">is being rolled out; another version can be a candidate after it is completed or taken back.</span></p>`
    }
    return html`<label>Version
      <select name="version" aria-label="Version" @change=${(event: Event) => {
        this.version = Number((event.target as HTMLSelectElement).value)
      }}>
        ${this.#choices().map(
          ({ version, push }) =>
            html`<option value=${version} ?selected=${version === this.version}>v${version} ${push.message ?? push.commit?.slice(0, 10) ?? push.source}</option>`,
        )}
      </select>
    </label>`
  }

  override render() {
    const running = this.current?.candidate ?? null
    const stable = this.current?.stable.version
    return html`<dialog aria-labelledby="title"><form @submit=${this.#submit}>
      <h2 id="title">Deploy to ${this.environment}</h2>
      ${
        stable === undefined || this.version === 0
          ? nothing
          : html`<p class="small"><a href="/policies/v${this.version}/changes?from=v${stable}" @click=${() => this.#close()}>What v${this.version} changes against v${stable}</a></p>`
      }
      ${this.#versionChoice(running)}
      <fieldset>
        <legend>Who gets it</legend>
        ${ways.map(
          ([
            value,
            name,
            note,
          ]) => html`<label class="choice"><input type="radio" name="way" value=${value} .checked=${this.way === value}
            ?disabled=${this.current === undefined && value !== 'all'}
            @change=${() => {
              this.way = value
              if (running !== null && value !== 'shadow') this.version = running.version
            }} /> <span>${name} <span class="muted">– ${note}</span></span></label>`,
        )}
      </fieldset>
      ${this.way === 'share' ? this.#share(running) : nothing}
      <label><span>Why <span class="muted">(optional)</span></span><input name="reason" maxlength="512" placeholder="for the history" /></label>
      ${this.error === '' ? nothing : html`<p class="error" role="alert">${this.error}</p>`}
      <div class="row end">
        <button type="button" @click=${() => this.#close()}>Cancel</button>
        <button class="primary" ?disabled=${this.busy || this.version === 0}>${this.way === 'all' ? 'Make it stable' : this.way === 'shadow' ? 'Let it look on' : running === null ? 'Start the rollout' : 'Change the rollout'}</button>
      </div>
    </form></dialog>`
  }

  static override styles = [
    shared,
    css`
      dialog { border: 1px solid var(--line); border-radius: 14px; background: var(--raised); color: var(--text); padding: 24px;
        width: min(560px, calc(100vw - 32px)); box-shadow: var(--shadow); }
      dialog::backdrop { background: rgb(10 15 12 / 45%); }
      form { display: grid; gap: 14px; }
      fieldset { border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; margin: 0; display: grid; gap: 10px; min-width: 0; }
      legend { font-weight: 560; font-size: 13px; padding: 0 4px; }
      .choice { display: flex; gap: 8px; align-items: baseline; font-weight: 460; font-size: 14px; }
      .choice input { flex: none; }
      ol { margin: 0; padding: 0; list-style: none; display: grid; gap: 6px; }
      li { display: flex; gap: 10px; align-items: center; flex-wrap: wrap; }
      .unit { display: inline-flex; gap: 5px; align-items: center; }
      .unit input { width: 78px; }
      select, input[name] { width: 100%; }
      .choice input { width: auto; }
      fieldset > button { justify-self: start; }
      label .muted, input, select { font-weight: 460; }
      .end { justify-content: end; }
    `,
  ]
}
customElements.define('sb-promote-form', PromoteForm)
