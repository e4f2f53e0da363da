import type { CallRecord, Explanation } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api } from '../api.ts'
import { Load } from '../load.ts'
import { definePage } from '../router.ts'
import { outcomeBadge } from '../ui/decision-table.ts'
import { formatCount, formatDuration, formatMoney, formatTime } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'

type Attempt = CallRecord['body']['attempts'][number]
type Verdict = CallRecord['body']['verdicts'][number]
const verdictTones = { pass: 'good', fail: 'bad', error: 'bad', notScanned: 'warn', skipped: '' } as const
const verifications = {
  same: ['good', 'computed again: the same decision'],
  different: ['bad', 'computed again: another decision'],
  unchecked: ['warn', 'not computed again'],
} as const

class DecisionPage extends LitElement {
  static override properties = { recordId: {} }
  declare recordId: string
  readonly #data: Load<{ explanation: Explanation; record: CallRecord }>

  constructor() {
    super()
    this.recordId = ''
    this.#data = new Load(this, async (signal) => {
      const id = this.recordId
      const [explanation, record] = await Promise.all([
        api().explainRecord({ id }, { signal }),
        api().getRecord({ id }, { signal }),
      ])
      return { explanation, record }
    })
  }

  #trace(traceId: string, url: string | null) {
    return url === null ? html`<code>${traceId}</code>` : html`<a href=${url}><code>${traceId}</code></a>`
  }

  #facts({ row }: CallRecord, { header, traceUrl }: Explanation) {
    const tokens = `${row.usage.input ?? 0} in, ${row.usage.output ?? 0} out`
    const entries: [string, unknown][] = [
      ['Asked for', html`<code>${row.modelRequested}</code>`],
      ['Answered by', html`<code>${row.target ?? '–'}</code>`],
      ['Status', String(row.status)],
      ['Time', formatTime(row.timeMs)],
      ['Time taken', formatDuration(row.durationMs)],
      ['Tokens', tokens],
      ['Cost', row.attempts === 0 ? '–' : formatMoney(row.costNanoUsd)],
      [
        'Version',
        row.version === undefined ? '–' : html`<a href="/policies/v${row.version}">v${row.version}</a>`,
      ],
      ['Role', header.role ?? '–'],
      ['Environment', header.environment],
      ['Gateway', header.gateway.name ?? header.gateway.id],
      ['Params, release', `r${header.params ?? '–'}, ${header.release ?? '–'}`],
      ['Dialect', row.stream ? `${row.dialect}, streamed` : row.dialect],
      ['Bytes', row.attempts === 0 ? '–' : row.identity ? "the provider's own" : 'translated'],
      ['Trace', row.traceId === undefined ? '–' : this.#trace(row.traceId, traceUrl)],
    ]
    return html`<dl class="card pad">${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
  }

  #verification({ verification }: Explanation) {
    const [tone, words] = verifications[verification.status]
    return html`<p class="row small">
      <span class="badge ${tone}">${words}</span>
      <span class="muted digest">${verification.why ?? verification.recordedDigest ?? ''}</span>
    </p>`
  }

  /** The outcome in a sentence, and whether it still holds. */
  #verdict(explanation: Explanation) {
    const { outcome, notDecided } = explanation
    return html`<section class="card pad stack verdict">
      <p class="outcome summary">${outcome}</p>
      ${notDecided === null ? this.#verification(explanation) : html`<p class="muted">${notDecided}</p>`}
    </section>`
  }

  #plan({ decision, selection }: Explanation) {
    if (decision === null || selection === null) return nothing
    const health = Object.entries(selection.health)
    const entries: [string, unknown][] = [
      ['Order', html`<code>${selection.order.join(', then ')}</code>`],
      ['Strategy', selection.strategy],
      ['Seed', String(selection.seed)],
      [
        'Health',
        health.length === 0
          ? '–'
          : health.map(([target, state]) => html`<div><code>${target}</code> ${state}</div>`),
      ],
      ...selection.skipped.map(({ target, reason }): [string, unknown] => [
        'Passed over',
        `${target}: ${reason}`,
      ]),
    ]
    return html`<section class="card">
      <header><h2>Selection</h2></header>
      <dl class="pad">${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    </section>`
  }

  #reasons({ reasons }: Explanation) {
    if (reasons.length === 0) return nothing
    return html`<section class="card">
      <header><h2>Reasons</h2></header>
      <ul class="reasons pad">${reasons.map(
        (reason) => html`<li>
          <code>${reason.code}</code>
          <span class="badge">${reason.audience === 'caller' ? 'told to the caller' : 'for operators'}</span>
          <span class="muted">${reason.policy === '' ? 'no single policy' : `${reason.policy}${reason.rule === '' ? '' : `, rule ${reason.rule}`}`}</span>
          ${reason.message === undefined ? nothing : html`<span>${reason.message}</span>`}
        </li>`,
      )}</ul>
    </section>`
  }

  #guardrail({ guardrail, direction, verdict, code, error, action, level, hits, ...chars }: Verdict) {
    const why = code ?? error
    return html`<tr>
      <td class="mono">${guardrail}</td>
      <td>${direction}</td>
      <td><span class="badge ${verdictTones[verdict]}">${verdict}</span> ${why === undefined ? nothing : html`<span class="mono">${why}</span>`}</td>
      <td>${level === 'enforce' ? action : `${level} only`}</td>
      <td class="num">${formatCount(hits)}</td>
      <td class="num">${formatCount(chars.scannedChars)}</td>
      <td class="num">${formatCount(chars.deliveredChars)}</td>
    </tr>`
  }

  #attempt(attempt: Attempt) {
    return html`<tr>
      <td>${attempt.index + 1}</td>
      <td><code>${attempt.target}</code> ${attempt.winner ? html`<span class="badge good">answered</span>` : nothing}</td>
      <td><span class="badge ${attempt.outcome === 'ok' ? 'good' : 'bad'}">${attempt.errorCode ?? attempt.outcome}</span></td>
      <td class="num">${attempt.status ?? '–'}</td>
      <td class="num">${formatDuration(attempt.durationMs)}</td>
      <td class="num">${formatMoney(attempt.costNanoUsd)}</td>
    </tr>`
  }

  #content(explanation: Explanation, record: CallRecord) {
    const { body } = record
    return html`<div class="stack">
      ${this.#verdict(explanation)}
      ${this.#facts(record, explanation)}
      ${body.dropped.length === 0 ? nothing : html`<p class="error">Not carried across: ${body.dropped.join(', ')}</p>`}
      ${body.error === undefined || record.row.effect === 'deny' || explanation.notDecided !== null ? nothing : html`<p class="error">${body.error.code}: ${body.error.message}</p>`}
      <section class="card">
        <header><h2>Policies</h2><span class="muted small">${explanation.candidates === null ? nothing : html`candidates ${explanation.candidates.before} → ${explanation.candidates.after} · `}${formatCount(body.evaluationUs)} µs · fuel ${formatCount(body.fuel)}</span></header>
        ${
          explanation.policies.length === 0
            ? html`<p class="pad muted">The call ended before a policy was asked.</p>`
            : html`<sb-explain-tree .explanation=${explanation}></sb-explain-tree>`
        }
      </section>
      ${
        explanation.notDecided !== null
          ? nothing
          : html`<section class="card">
        <header><h2>Would change if</h2></header>
        <sb-would-change .changes=${explanation.wouldChangeIf}></sb-would-change>
      </section>`
      }
      ${this.#reasons(explanation)} ${this.#plan(explanation)}
      ${
        body.attempts.length === 0
          ? nothing
          : html`<section class="card">
        <header><h2>Attempts</h2></header>
        <div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
          <thead><tr><th>#</th><th>Target</th><th>Outcome</th><th class="num">Status</th><th class="num">Time taken</th><th class="num">Cost</th></tr></thead>
          <tbody>${body.attempts.map((attempt) => this.#attempt(attempt))}</tbody>
        </table></div>
      </section>`
      }
      ${
        body.verdicts.length === 0
          ? nothing
          : html`<section class="card">
        <header><h2>Guardrails</h2></header>
        <div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
          <thead><tr><th>Guardrail</th><th>Over</th><th>Verdict</th><th>Done</th><th class="num">Found</th><th class="num">Scanned</th><th class="num">Delivered</th></tr></thead>
          <tbody>${body.verdicts.map((verdict) => this.#guardrail(verdict))}</tbody>
        </table></div>
      </section>`
      }
      <details class="card">
        <summary class="pad">As text</summary>
        <sb-source-view label="Explanation" .text=${explanation.summary.join('\n')}></sb-source-view>
      </details>
      <details class="card">
        <summary class="pad">Facts and decision as recorded</summary>
        <sb-source-view label="Facts and decision" .text=${JSON.stringify({ facts: body.facts, decision: body.decision, selection: body.selection }, null, 2)}></sb-source-view>
      </details>
    </div>`
  }

  override render() {
    return html`<div class="head">
        <div>
          <a href="/decisions">Decisions</a>
          <h1 class="mono">${this.recordId}</h1>
        </div>
        <div class="row">
          ${this.#data.value?.record.body.facts === undefined ? nothing : html`<a class="button" href="/playground?record=${this.recordId}">Open in playground</a>`}
          ${this.#data.value === undefined ? nothing : outcomeBadge(this.#data.value.record.row)}
        </div>
      </div>
      ${this.#data.render(({ explanation, record }) => this.#content(explanation, record))}`
  }

  static override styles = [
    shared,
    css`
      h1 { font-size: 18px; overflow-wrap: anywhere; }
      dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 14px 24px; margin: 0; }
      dt { color: var(--muted); font-size: 12.5px; }
      dd { margin: 0; overflow-wrap: anywhere; }
      summary { cursor: pointer; }
      .verdict { gap: 8px; }
      .outcome { font-weight: 600; overflow-wrap: anywhere; }
      .digest { overflow-wrap: anywhere; min-width: 0; }
      .reasons { list-style: none; margin: 0; display: grid; gap: 6px; }
      .reasons li { display: flex; gap: 8px; align-items: baseline; flex-wrap: wrap; }
    `,
  ]
}
customElements.define('sb-decision-page', DecisionPage)

export const page = definePage({
  path: '/decisions/:id',
  title: 'Decision',
  render: ({ id }) => html`<sb-decision-page .recordId=${id ?? ''}></sb-decision-page>`,
})
