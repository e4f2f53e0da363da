import type { ExplainedLayer, ExplainedPolicy, ExplainedRule, Explanation } from '@signalbox/sdk'
import { css, html, LitElement, nothing, type TemplateResult } from 'lit'
import { formatCount } from './format.ts'
import { shared } from './styles.ts'

const outcomeWords: Readonly<Record<ExplainedPolicy['outcome'], string>> = {
  denied: 'denied',
  narrowed: 'narrowed',
  chosen: 'chose',
  continued: 'continued',
  noEffect: 'no effect',
  notApplicable: 'not applicable',
  notReached: 'not reached',
  failed: 'failed',
}
const outcomeTones: Readonly<Partial<Record<ExplainedPolicy['outcome'], string>>> = {
  denied: 'bad',
  failed: 'bad',
  chosen: 'accent',
  narrowed: 'warn',
}
const ruleWords: Readonly<Record<ExplainedRule['outcome'], string>> = {
  matched: 'matched',
  notMatched: 'did not match',
  failed: 'failed',
  notAsked: 'not asked',
  unknown: 'unknown',
}
const ruleTones: Readonly<Partial<Record<ExplainedRule['outcome'], string>>> = {
  matched: 'accent',
  failed: 'bad',
}
const marks = {
  true: 'TRUE',
  false: 'FALSE',
  threw: 'THREW',
  unknown: 'UNKNOWN',
  notEvaluated: 'NOT EVALUATED',
} as const

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

function ruleView(rule: ExplainedRule): TemplateResult {
  return html`<div class="rule">
    <div class="row">
      <strong>${rule.id}</strong>
      <span class="badge ${ruleTones[rule.outcome] ?? ''}">${ruleWords[rule.outcome]}</span>
      <span class="muted small">line ${rule.line}</span>
    </div>
    ${
      rule.conditions.length === 0
        ? html`<p class="muted small">no condition: always</p>`
        : html`<ul>${rule.conditions.map(
            (each) => html`<li class=${each.outcome}>
              <span class="mark">${marks[each.outcome]}</span>
              <code title=${each.text}>${each.shown}</code>
            </li>`,
          )}</ul>`
    }
    ${rule.effects.map((effect) => html`<p class="effect"><span aria-hidden="true">→</span> <code>${effect}</code></p>`)}
  </div>`
}

function removedView({ narrowing }: ExplainedPolicy): TemplateResult | typeof nothing {
  if (narrowing === null || narrowing.removed.length === 0) return nothing
  return html`<div class="block">
    <p class="small muted">Took away ${plural(narrowing.removed.length, 'candidate')} of ${narrowing.before}:</p>
    <ul class="removed">${narrowing.removed.map(
      ({ target, rule, why }) =>
        html`<li><code>${target}</code> <span class="muted small">${why} · rule ${rule}</span></li>`,
    )}</ul>
  </div>`
}

function demandsView({ guardrails, caps }: ExplainedPolicy): TemplateResult | typeof nothing {
  const entries = [
    ...Object.entries(caps).map(([name, value]) => `${name} ≤ ${formatCount(value)}`),
    ...guardrails.map((each) => `guardrail ${each}`),
  ]
  return entries.length === 0 ? nothing : html`<p class="block small">Demands ${entries.join('; ')}</p>`
}

function policyView(policy: ExplainedPolicy): TemplateResult {
  const tone = outcomeTones[policy.outcome] ?? ''
  const { narrowing } = policy
  const left = narrowing === null ? '' : ` ${narrowing.before} → ${narrowing.after}`
  return html`<details class="policy" ?open=${tone !== ''}>
    <summary>
      <strong>${policy.id}</strong>
      <span class="badge">${policy.kind}</span>
      <span class="badge ${tone}">${outcomeWords[policy.outcome]}${left}${policy.rule === null ? '' : `: ${policy.rule}`}</span>
      <span class="muted small file">${policy.file ?? ''}</span>
    </summary>
    ${policy.error === undefined ? nothing : html`<p class="error">${policy.error.kind}: ${policy.error.message}</p>`}
    ${removedView(policy)} ${demandsView(policy)}
    ${
      policy.rules.length === 0
        ? html`<p class="block muted small">Its version is no longer kept, so its rules cannot be shown.</p>`
        : policy.rules.map(ruleView)
    }
  </details>`
}

/** The policies of one call by layer, each with its rules, their conditions and the values they had. */
export class ExplainTree extends LitElement {
  static override properties = { explanation: {} }
  declare explanation: Explanation | undefined

  #layer(layer: ExplainedLayer, policies: readonly ExplainedPolicy[]) {
    const own = policies.filter((each) => each.workspace === layer.workspace)
    const version = layer.version === null ? '' : `v${layer.version}`
    return html`<details class="layer" open>
      <summary>
        <strong>${layer.workspace}</strong>
        <span class="muted small">${layer.node === '' ? 'at the root' : `at ${layer.node}`} ${version}</span>
        <span class="muted small counts">${plural(layer.constraints.length, 'constraint')}, ${plural(layer.routes.length, 'route')}</span>
      </summary>
      ${own.length === 0 ? html`<p class="block muted">No policy of this workspace.</p>` : own.map(policyView)}
    </details>`
  }

  override render() {
    const { explanation } = this
    if (explanation === undefined) return nothing
    const { layers, policies } = explanation
    const known = new Set(layers.map(({ workspace }) => workspace))
    const others = policies.filter(({ workspace }) => !known.has(workspace))
    return html`${layers.map((layer) => this.#layer(layer, policies))} ${others.map(policyView)}`
  }

  static override styles = [
    shared,
    css`
      summary { cursor: pointer; padding: 11px 18px; display: flex; gap: 8px; align-items: center; flex-wrap: wrap; list-style: none; }
      summary::-webkit-details-marker { display: none; }
      summary::before { content: '▸'; color: var(--muted); width: 12px; flex: none; }
      details[open] > summary::before { content: '▾'; }
      .layer > summary { background: var(--sunken); border-bottom: 1px solid var(--line); }
      .layer + .layer { border-top: 1px solid var(--line); }
      .counts, .file { margin-left: auto; overflow-wrap: anywhere; }
      .policy { border-bottom: 1px solid var(--line); padding-left: 14px; }
      .policy:last-child { border-bottom: 0; }
      .policy > .error { margin: 0 18px 12px 38px; overflow-wrap: anywhere; }
      .block { padding: 0 18px 12px 38px; }
      .rule { margin: 0 18px 14px 38px; padding-left: 14px; border-left: 2px solid var(--line); display: grid; gap: 6px; }
      ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 3px; }
      li { display: grid; grid-template-columns: 116px minmax(0, 1fr); gap: 10px; align-items: baseline; }
      .removed { margin-top: 4px; }
      .removed li { display: flex; flex-wrap: wrap; gap: 2px 10px; }
      code { overflow-wrap: anywhere; white-space: pre-wrap; }
      .mark { font: 600 11px/1.6 var(--mono); letter-spacing: 0.02em; color: var(--muted); }
      .true .mark { color: var(--good); }
      .false .mark { color: var(--warn); }
      .threw .mark, .unknown .mark { color: var(--bad); }
      .notEvaluated code { color: var(--muted); }
      .effect { color: var(--accent); }
      @media (max-width: 700px) {
        .policy { padding-left: 0; }
        .rule, .policy > .error { margin-left: 18px; }
        .block { padding-left: 18px; }
        li { grid-template-columns: minmax(0, 1fr); gap: 0; margin-bottom: 4px; }
        .counts, .file { margin-left: 20px; flex-basis: 100%; }
      }
    `,
  ]
}
customElements.define('sb-explain-tree', ExplainTree)
