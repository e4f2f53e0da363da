import type { RecordRow } from '@signalbox/sdk'
import { html, nothing, type TemplateResult } from 'lit'
import { navigate } from '../router.ts'
import { formatClock, formatDuration, formatMoney } from './format.ts'

/** How a call ended, in a word and a colour. */
export function outcomeBadge(row: RecordRow): TemplateResult {
  if (row.truncated) return html`<span class="badge warn">truncated</span>`
  if (row.status < 400)
    return html`<span class="badge good">${row.effect === 'allow' ? 'allowed' : row.effect}</span>`
  if (row.effect === 'deny') return html`<span class="badge bad">${row.errorCode ?? 'denied'}</span>`
  return html`<span class="badge warn">${row.errorCode ?? row.status}</span>`
}

/** The policy and rule that decided; a call that ended before its decision was decided by none. */
export function decidedBy(row: RecordRow): TemplateResult {
  if (row.effect === 'none') return html`<span class="muted">not decided</span>`
  if (row.policy !== undefined) return html`${row.policy} <span class="muted">${row.rule ?? ''}</span>`
  return html`<span class="muted">${row.effect === 'allow' ? 'default route' : 'no policy'}</span>`
}

/** Says that a candidate decided; nothing for all other calls. */
const armBadge = ({ arm }: RecordRow) =>
  arm === 'candidate' ? html` <span class="badge warn">candidate</span>` : nothing

/** Rows of decisions; a row leads to its explanation. */
export function decisionTable(rows: readonly RecordRow[]): TemplateResult {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
    <thead><tr><th>Time</th><th>Outcome</th><th>Asked for</th><th>Answered by</th><th>Decided by</th><th class="num">Time taken</th><th class="num">Cost</th></tr></thead>
    <tbody>
      ${rows.map(
        (row) => html`<tr class="link" @click=${() => navigate(`/decisions/${row.id}`)}>
          <td class="mono"><a href="/decisions/${row.id}">${formatClock(row.timeMs)}</a></td>
          <td>${outcomeBadge(row)}</td>
          <td><code>${row.modelRequested}</code></td>
          <td><code>${row.target ?? '–'}</code></td>
          <td>${decidedBy(row)}${armBadge(row)}</td>
          <td class="num">${formatDuration(row.durationMs)}</td>
          <td class="num">${row.attempts === 0 ? '–' : formatMoney(row.costNanoUsd)}</td>
        </tr>`,
      )}
    </tbody>
  </table></div>`
}
