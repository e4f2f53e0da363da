import { css, html, LitElement, nothing, type TemplateResult } from 'lit'
import { explainError } from '../api.ts'
import { session } from '../session.ts'
import { shared } from '../ui/styles.ts'

export interface Answer {
  readonly reason: string | undefined
  /** Who decides, where a token asks. */
  readonly person: string | undefined
  readonly form: FormData
}
export interface Question {
  readonly title: string
  readonly text: TemplateResult
  /** What the button says. */
  readonly action: string
  readonly danger?: boolean
  readonly reason?: { readonly label: string; readonly required: boolean }
  /** Whether a person has to stand for it; asked of whoever signed in with a token. */
  readonly needsPerson?: boolean
  run(answer: Answer): Promise<unknown>
}

/** Asks before something is changed, and says there what went wrong. Fires `done`. */
export class ConfirmDialog extends LitElement {
  static override properties = {
    question: { state: true },
    error: { state: true },
    busy: { state: true },
  }
  declare question: Question | undefined
  declare error: string
  declare busy: boolean

  constructor() {
    super()
    this.question = undefined
    this.error = ''
    this.busy = false
  }

  /** Shows the question; the dialog does the rest. */
  async ask(question: Question): Promise<void> {
    this.question = question
    this.error = ''
    await this.updateComplete
    this.renderRoot.querySelector('form')?.reset()
    this.#dialog()?.showModal()
  }

  #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog')
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const { question } = this
    if (question === undefined || this.busy) return
    const form = new FormData(event.target as HTMLFormElement)
    const said = (name: string): string | undefined => {
      const text = String(form.get(name) ?? '').trim()
      return text === '' ? undefined : text
    }
    this.busy = true
    this.error = ''
    try {
      await question.run({ reason: said('reason'), person: said('person'), form })
      this.#dialog()?.close()
      this.dispatchEvent(new CustomEvent('done'))
    } catch (error) {
      this.error = explainError(error)
    }
    this.busy = false
  }

  #person({ needsPerson }: Question) {
    if (needsPerson !== true || session.user !== null) return nothing
    return html`<label>Your name
      <input name="person" required maxlength="256" autocomplete="name" />
      <span class="muted small">You are signed in with a token, which does not say who decides.</span>
    </label>`
  }

  #reason({ reason }: Question) {
    if (reason === undefined) return nothing
    return html`<label><span>${reason.label}${reason.required ? nothing : html` <span class="muted">(optional)</span>`}</span>
      <input name="reason" maxlength="512" ?required=${reason.required} />
    </label>`
  }

  override render() {
    const { question } = this
    return html`<dialog aria-labelledby="title">
      ${
        question === undefined
          ? nothing
          : html`<form @submit=${this.#submit}>
        <h2 id="title">${question.title}</h2>
        <div class="text">${question.text}</div>
        ${this.#reason(question)} ${this.#person(question)}
        ${this.error === '' ? nothing : html`<p class="error" role="alert">${this.error}</p>`}
        <div class="row end">
          <button type="button" @click=${() => this.#dialog()?.close()}>Cancel</button>
          <button class=${question.danger === true ? 'danger' : 'primary'} ?disabled=${this.busy}>${question.action}</button>
        </div>
      </form>`
      }
    </dialog>`
  }

  static override styles = [
    shared,
    css`
      dialog { border: 1px solid var(--line); border-radius: 14px; background: var(--raised); color: var(--text); padding: 24px;
        width: min(480px, calc(100vw - 32px)); box-shadow: var(--shadow); }
      dialog::backdrop { background: rgb(10 15 12 / 45%); }
      form { display: grid; gap: 14px; }
      .text { display: grid; gap: 10px; }
      .text label.check { display: flex; gap: 8px; align-items: baseline; font-weight: 460; }
      label .muted, input, select { font-weight: 460; }
      .end { justify-content: end; }
    `,
  ]
}
customElements.define('sb-confirm-dialog', ConfirmDialog)
