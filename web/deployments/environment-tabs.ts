import { css, html, LitElement, nothing } from 'lit'
import { shared } from '../ui/styles.ts'

const tabs = [
  { name: 'Rollout', path: '' },
  { name: 'History', path: '/history' },
  { name: 'Params', path: '/params' },
] as const

/** Head of the pages of an environment, with the way between them. */
export class EnvironmentTabs extends LitElement {
  static override properties = { environment: {}, current: {} }
  declare environment: string
  declare current: (typeof tabs)[number]['name']

  constructor() {
    super()
    this.environment = ''
    this.current = 'Rollout'
  }

  override render() {
    return html`<div class="head">
        <div><a href="/deployments">Deployments</a><h1>${this.environment}</h1></div>
        <div class="row"><slot></slot></div>
      </div>
      <nav aria-label="Environment">
        ${tabs.map(
          ({ name, path }) =>
            html`<a href="/deployments/${this.environment}${path}" aria-current=${name === this.current ? 'page' : nothing}>${name}</a>`,
        )}
      </nav>`
  }

  static override styles = [
    shared,
    css`
      :host { margin-bottom: 20px; }
      .head { margin-bottom: 10px; }
      nav { display: flex; gap: 4px; border-bottom: 1px solid var(--line); }
      nav a { padding: 8px 12px; color: var(--muted); font-weight: 560; border-bottom: 2px solid transparent; margin-bottom: -1px; }
      nav a:hover { color: var(--text); text-decoration: none; }
      nav a[aria-current] { color: var(--accent); border-bottom-color: var(--accent); }
    `,
  ]
}
customElements.define('sb-environment-tabs', EnvironmentTabs)
