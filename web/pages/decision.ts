import type { CallRecord, Explanation } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api } from '../api.ts'
import { Load } from '../load.ts'
import { definePage } from '../router.ts'
import { outcomeBadge } from '../ui/decision-table.ts'
import { formatDuration, formatMoney, formatTime } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'

type ExplainedPolicy = Explanation['policies'][number]
type Attempt = CallRecord['body']['attempts'][number]
const marks = { true: '✓', false: '✗', notEvaluated: '·', threw: '!' } as const
const words = { true: 'true', false: 'false', notEvaluated: 'not evaluated', threw: 'threw' } as const

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

  #facts({ row }: CallRecord) {
    const tokens = `${row.usage.input ?? 0} in, ${row.usage.output ?? 0} out`
    const entries: [string, unknown][] = [
      ['Asked for', html`<code>${row.modelRequested}</code>`],
      ['Answered by', html`<code>${row.target ?? '–'}</code>`],
      ['Status', String(row.status)],
      ['Time', formatTime(row.timeMs)],
      ['Time taken', formatDuration(row.durationMs)],
      ['Tokens', tokens],
      ['Cost', formatMoney(row.costNanoUsd)],
      [
        'Version',
        row.version === undefined ? '–' : html`<a href="/policies/v${row.version}">v${row.version}</a>`,
      ],
      ['Dialect', row.stream ? `${row.dialect}, streamed` : row.dialect],
      ['Bytes', row.identity ? "the provider's own" : 'translated'],
      ['Trace', row.traceId === undefined ? '–' : html`<code>${row.traceId}</code>`],
    ]
    return html`<dl class="card pad">${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
  }

  #policy(policy: ExplainedPolicy) {
    const tone =
      { denied: 'bad', failed: 'bad', chosen: 'accent', narrowed: 'warn' }[policy.outcome as string] ?? ''
    return html`<details class="policy" ?open=${tone !== ''}>
      <summary>
        <strong>${policy.id}</strong> <span class="badge">${policy.kind}</span>
        <span class="badge ${tone}">${policy.outcome}${policy.rule === null ? '' : `: ${policy.rule}`}</span>
        <span class="muted small file">${policy.file ?? ''}</span>
      </summary>
      ${policy.error === undefined ? nothing : html`<p class="error">${policy.error.kind}: ${policy.error.message}</p>`}
      ${policy.rules.map(
        (rule) => html`<div class="rule">
          <span class="muted small">rule</span> <strong>${rule.id}</strong>
          <ul>
            ${
              rule.conditions.length === 0
                ? html`<li class="muted">always</li>`
                : rule.conditions.map(
                    (each) => html`<li class=${each.outcome}>
                      <span class="mark" title=${words[each.outcome]} aria-label=${words[each.outcome]}>${marks[each.outcome]}</span>
                      <code>${each.text}</code>
                      ${Object.entries(each.values).map(([path, value]) => html`<span class="value small"><span class="muted">${path} =</span> <code>${JSON.stringify(value)}</code></span>`)}
                    </li>`,
                  )
            }
          </ul>
        </div>`,
      )}
    </details>`
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
      <section class="card pad"><pre class="summary scroll" tabindex="0" role="region" aria-label="Explanation">${explanation.summary.join('\n')}</pre></section>
      ${this.#facts(record)}
      ${body.dropped.length === 0 ? nothing : html`<p class="error">Not carried across: ${body.dropped.join(', ')}</p>`}
      ${body.error === undefined ? nothing : html`<p class="error">${body.error.code}: ${body.error.message}</p>`}
      <section class="card">
        <header><h2>Policies</h2><span class="muted small">${body.evaluationUs.toFixed(0)} µs, ${body.fuel} fuel</span></header>
        ${
          explanation.policies.length === 0
            ? html`<p class="pad muted">The call ended before a policy was asked.</p>`
            : explanation.policies.map((policy) => this.#policy(policy))
        }
      </section>
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
        ${this.#data.value === undefined ? nothing : outcomeBadge(this.#data.value.record.row)}
      </div>
      ${this.#data.render(({ explanation, record }) => this.#content(explanation, record))}`
  }

  static override styles = [
    shared,
    css`
      h1 { font-size: 18px; overflow-wrap: anywhere; }
      dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 14px 24px; margin: 0; }
      dt { color: var(--muted); font-size: 12.5px; }
      dd { margin: 0; overflow-wrap: anywhere; }
      .summary { margin: 0; line-height: 1.65; }
      .policy { border-bottom: 1px solid var(--line); }
      .policy:last-child { border-bottom: 0; }
      summary { cursor: pointer; }
      .policy > summary { padding: 12px 18px; display: flex; gap: 8px; align-items: center; flex-wrap: wrap; }
      .policy > summary::before { content: '▸'; color: var(--muted); width: 12px; }
      .policy[open] > summary::before { content: '▾'; }
      .file { margin-left: auto; }
      .rule { padding: 2px 18px 12px 40px; }
      ul { list-style: none; margin: 4px 0 0; padding: 0; display: grid; gap: 4px; }
      li { display: flex; gap: 10px; align-items: baseline; flex-wrap: wrap; }
      .mark { width: 14px; font-weight: 700; color: var(--muted); }
      li.true .mark { color: var(--good); }
      li.threw .mark { color: var(--bad); }
      .value { background: var(--sunken); border-radius: 6px; padding: 0 7px; }
    `,
  ]
}
customElements.define('sb-decision-page', DecisionPage)

export const page = definePage({
  path: '/decisions/:id',
  title: 'Decision',
  render: ({ id }) => html`<sb-decision-page .recordId=${id ?? ''}></sb-decision-page>`,
})
