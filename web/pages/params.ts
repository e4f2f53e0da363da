import type { ListParamChangesReply, ListParamsReply, ParamDeclaration, ParamValue } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { keyed } from 'lit/directives/keyed.js'
import { api } from '../api.ts'
import type { ConfirmDialog } from '../deployments/confirm-dialog.ts'
import '../deployments/confirm-dialog.ts'
import '../deployments/environment-tabs.ts'
import { formatShare } from '../deployments/wording.ts'
import { Load } from '../load.ts'
import { definePage } from '../router.ts'
import '../ui/empty-state.ts'
import { formatAgo, formatTime } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'

type Param = ListParamsReply['items'][number]
type Change = ListParamChangesReply['items'][number]
const sources = { state: 'set here', environment: 'signalbox.yaml', default: 'default' } as const

function valueText(declaration: ParamDeclaration | undefined, value: ParamValue | null): string {
  if (value === null) return 'taken back'
  if (Array.isArray(value)) return value.length === 0 ? 'empty list' : value.join(', ')
  if (declaration?.type === 'ppm' && typeof value === 'number') return `${value} (${formatShare(value)})`
  return String(value)
}

function boundsText(declaration: ParamDeclaration): string {
  const { type } = declaration
  if (type === 'bool') return 'true or false'
  if (type === 'int' || type === 'ppm') {
    const { min, max } = declaration
    const bounds = [
      ...(min === undefined ? [] : [`from ${min}`]),
      ...(max === undefined ? [] : [`to ${max}`]),
    ]
    return [type === 'ppm' ? 'parts per million' : 'whole number', ...bounds].join(' ')
  }
  const kind = type === 'string' ? 'text' : 'list'
  return declaration.enum === undefined ? kind : `${kind} of ${declaration.enum.join(', ')}`
}

/** What was typed, as the value of a param. */
function readValue({ type }: ParamDeclaration, form: FormData): ParamValue {
  const text = String(form.get('value') ?? '').trim()
  if (type === 'bool') return text === 'true'
  if (type === 'int' || type === 'ppm') return Number(text)
  if (type === 'string') return text
  return text
    .split(/[\n,]/)
    .map((each) => each.trim())
    .filter((each) => each !== '')
}

/** Hot values of an environment: what each param is now, why, and what it was. */
class ParamsPage extends LitElement {
  static override properties = { environment: {} }
  declare environment: string
  readonly #data: Load<{ params: readonly Param[]; changes: readonly Change[] }>

  constructor() {
    super()
    this.environment = ''
    this.#data = new Load(
      this,
      async (signal) => {
        const { environment } = this
        const [params, changes] = await Promise.all([
          api().listParams({ environment }, { signal }),
          api().listParamChanges({ environment, limit: 100 }, { signal }),
        ])
        return { params: params.items, changes: changes.items }
      },
      5000,
    )
  }

  #field({ declaration, value }: Param) {
    const { type } = declaration
    if (type === 'bool') {
      return html`<select name="value">${['true', 'false'].map((each) => html`<option ?selected=${each === String(value)}>${each}</option>`)}</select>`
    }
    if (type === 'int' || type === 'ppm') {
      const { min = type === 'ppm' ? 0 : undefined, max = type === 'ppm' ? 1_000_000 : undefined } =
        declaration
      return html`<input name="value" type="number" step="1" required min=${min ?? nothing} max=${max ?? nothing} value=${String(value)} />`
    }
    if (type === 'string' && declaration.enum !== undefined) {
      return html`<select name="value">${declaration.enum.map((each) => html`<option ?selected=${each === value}>${each}</option>`)}</select>`
    }
    return html`<input name="value" maxlength="4096" value=${Array.isArray(value) ? value.join(', ') : String(value)} />`
  }

  #place({ environment, workspace, name, revision }: Param) {
    return { environment, workspace, name, revision }
  }

  #set(param: Param): void {
    void this.renderRoot.querySelector<ConfirmDialog>('sb-confirm-dialog')?.ask({
      title: `Set ${param.name} in ${param.environment}`,
      text: html`${keyed(
        `${param.workspace}/${param.name} ${param.revision}`,
        html`<label>Value <span class="muted small">${boundsText(param.declaration)}</span> ${this.#field(param)}</label>`,
      )}
        <p class="muted small">It holds on the callers' next requests, without a version, and no rollback takes it back.</p>`,
      action: 'Set',
      run: ({ form }) => api().setParam({ ...this.#place(param), value: readValue(param.declaration, form) }),
    })
  }

  #takeBack(param: Param): void {
    void this.renderRoot.querySelector<ConfirmDialog>('sb-confirm-dialog')?.ask({
      title: `Take ${param.name} back?`,
      text: html`<p class="muted">What signalbox.yaml says of ${param.environment} holds again, or else the default of its declaration.</p>`,
      action: 'Take back',
      run: () => api().setParam({ ...this.#place(param), value: null }),
    })
  }

  #row(param: Param) {
    const { name, workspace, value, source, declaration, by, changedMs, revision } = param
    return html`<tr>
      <td><strong>${name}</strong> <span class="muted small">${workspace}</span></td>
      <td class="value"><code>${valueText(declaration, value)}</code></td>
      <td><span class="badge ${source === 'state' ? 'accent' : ''}">${sources[source]}</span></td>
      <td class="muted small">${boundsText(declaration)}</td>
      <td class="muted small">${by === null || changedMs === null ? (revision === 0 ? 'never changed' : '') : html`${by}, ${formatAgo(changedMs, Date.now())}`}</td>
      <td class="num buttons"><button aria-label="Set ${name}" @click=${() => this.#set(param)}>Set…</button>
        ${source === 'state' ? html`<button aria-label="Take back ${name}" @click=${() => this.#takeBack(param)}>Take back…</button>` : nothing}</td>
    </tr>`
  }

  #history(params: readonly Param[], changes: readonly Change[]) {
    const declared = (change: Change): ParamDeclaration | undefined =>
      params.find(({ workspace, name }) => workspace === change.workspace && name === change.name)
        ?.declaration
    return html`<section class="card"><header><h2>What was changed</h2></header>
      ${
        changes.length === 0
          ? html`<p class="pad muted">No param was set here yet: versions and signalbox.yaml say what all of them are.</p>`
          : html`<div class="scroll" tabindex="0" role="group" aria-label="Changes of params"><table>
        <thead><tr><th>Time</th><th>Param</th><th>Value</th><th class="num">Revision</th><th>By</th></tr></thead>
        <tbody>${changes.map(
          (
            each,
          ) => html`<tr><td class="muted">${formatTime(each.timeMs)}</td><td>${each.name} <span class="muted small">${each.workspace}</span></td>
            <td class="value"><code>${valueText(declared(each), each.value)}</code></td><td class="num">${each.revision}</td><td class="muted">${each.by}</td></tr>`,
        )}</tbody></table></div>`
      }</section>`
  }

  override render() {
    return html`<sb-environment-tabs environment=${this.environment} current="Params"></sb-environment-tabs>
      ${this.#data.render(({ params, changes }) =>
        params.length === 0
          ? html`<section class="card"><sb-empty-state heading="No params here"
              text="A param is a value that a policy reads and that can be changed at once, without a version. Declare one in a policy, and push."></sb-empty-state></section>`
          : html`<div class="stack">
            <section class="card"><div class="scroll" tabindex="0" role="group" aria-label="Params"><table>
              <thead><tr><th>Param</th><th>Value</th><th>From</th><th>May be</th><th>Changed</th><td></td></tr></thead>
              <tbody>${params.map((each) => this.#row(each))}</tbody>
            </table></div></section>
            ${this.#history(params, changes)}
          </div>`,
      )}
      <sb-confirm-dialog @done=${() => this.#data.run()}></sb-confirm-dialog>`
  }

  static override styles = [
    shared,
    css`
      .value { min-width: 110px; }
      .value code { overflow-wrap: break-word; }
      .buttons { white-space: nowrap; }
    `,
  ]
}
customElements.define('sb-params-page', ParamsPage)

export const page = definePage({
  path: '/deployments/:environment/params',
  title: 'Params',
  render: ({ environment = '' }) =>
    html`${keyed(environment, html`<sb-params-page .environment=${environment}></sb-params-page>`)}`,
})
