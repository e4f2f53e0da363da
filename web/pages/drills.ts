import type { ListDrillsReply } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api } from '../api.ts'
import { Load } from '../load.ts'
import { definePage } from '../router.ts'
import { formatAgo, formatMoney } from '../ui/format.ts'
import { icons } from '../ui/icons.ts'
import { shared } from '../ui/styles.ts'

type Route = ListDrillsReply['items'][number]
type Result = NonNullable<Route['card']>['results'][number]

const hourMs = 3_600_000

function stateOf({ unproven, provenMs, runs }: Route) {
  if (unproven) return html`<span class="badge bad">not proven for too long</span>`
  const [last] = runs
  if (last === undefined) return html`<span class="badge">not drilled yet</span>`
  const isHeld = last.of > 0 && last.held === last.of
  return html`<span class="badge ${isHeld ? 'good' : 'warn'}">${isHeld ? 'proven' : provenMs === null ? 'not proven' : 'last run did not hold'}</span>`
}

class DrillsPage extends LitElement {
  readonly #drills = new Load<ListDrillsReply>(this, (signal) => api().listDrills({}, { signal }), 10_000)

  #result(result: Result) {
    const { fault, stream, targets, outcome, unmet, golden, target, status, ms, decision } = result
    return html`<tr>
      <td><code>${fault}</code>${targets > 1 ? html` <span class="muted">first ${targets} targets</span>` : nothing}</td>
      <td>${stream ? 'stream' : 'plain'}</td>
      <td><span class="badge ${outcome === 'held' ? 'good' : 'bad'}">${outcome}</span>
        ${unmet?.map((each) => html`<div class="muted small">${golden}: ${each}</div>`)}</td>
      <td><code>${target ?? '–'}</code></td>
      <td class="num">${status}</td>
      <td class="num">${ms} ms</td>
      <td>${decision === null ? nothing : html`<a href="/decisions/${decision}">why</a>`}</td>
    </tr>`
  }

  #lastRun({ runs: [last], schedule }: Route) {
    // Why a run without a key was not made is said below, with what to do.
    if (last === undefined || (schedule?.hasKey === false && last.error !== null)) return 'No run yet'
    const { timeMs, error, held, of, costNanoUsd } = last
    const came = error ?? `${held} of ${of} held, ${formatMoney(costNanoUsd)}`
    return html`Last run ${formatAgo(timeMs, Date.now())}: ${came}`
  }

  #route(route: Route) {
    const { environment, model, schedule, provenMs, card } = route
    const every =
      schedule === null ? 'by hand' : `every ${Math.round((schedule.everyMs / hourMs) * 10) / 10} h`
    const declared =
      schedule?.workspace == null ? '' : `, declared in signalbox.yaml of ${schedule.workspace}`
    return html`<section class="card">
      <header>
        <h2>${model} <span class="muted">${environment}</span></h2>
        <div class="row">${stateOf(route)}<span class="muted small">${every}${declared}</span></div>
      </header>
      <p class="pad muted small">
        ${this.#lastRun(route)}.
        ${provenMs === null ? 'Never proven.' : html`Proven ${formatAgo(provenMs, Date.now())}.`}
        ${schedule === null || schedule.golden.length === 0 ? nothing : html`Golden prompts: ${schedule.golden.map(({ name }) => name).join(', ')}.`}
      </p>
      ${
        schedule === null || schedule.hasKey
          ? nothing
          : html`<div class="pad"><p class="muted small">Nobody has given it a key whose budgets pay, so no run is made.</p>
            <sb-copy-text .text=${`npx signalbox drills set ${model} --env ${environment} --key sb_…`}></sb-copy-text></div>`
      }
      ${
        card === null
          ? nothing
          : html`<details><summary class="pad">Score card: ${card.held} of ${card.of} held</summary>
            <div class="scroll" tabindex="0" role="group" aria-label="Score card of ${model}"><table>
              <thead><tr><th>Fault</th><th>Call</th><th>Outcome</th><th>Answered, or tried last</th><th class="num">Status</th><th class="num">Time</th><td></td></tr></thead>
              <tbody>${card.results.map((each) => this.#result(each))}</tbody>
            </table></div></details>`
      }
    </section>`
  }

  override render() {
    return html`<div class="head"><h1>Drills</h1></div>
      ${this.#drills.render(({ items }) =>
        items.length === 0
          ? html`<section class="card">
              <sb-empty-state heading="No route is drilled" text="A fallback is safe once it has fired and was checked. Drill a route by a schedule, or by hand and keep its score card.">
                <sb-copy-text .text=${'npx signalbox drills set smart --every 24h --key sb_…\nnpx signalbox drill --model smart --key sb_… --keep'}></sb-copy-text>
              </sb-empty-state>
            </section>`
          : html`<div class="stack">${items.map((route) => this.#route(route))}</div>`,
      )}`
  }

  static override styles = [
    shared,
    css`
      summary { cursor: pointer; padding-top: 0; }
    `,
  ]
}
customElements.define('sb-drills-page', DrillsPage)

export const page = definePage({
  path: '/drills',
  title: 'Drills',
  nav: { order: 5.5, icon: icons.drills },
  render: () => html`<sb-drills-page></sb-drills-page>`,
})
