import type { ListVersionsReply } from '@signalbox/sdk'
import { html, LitElement } from 'lit'
import { api } from '../api.ts'
import { Load } from '../load.ts'
import { definePage, navigate } from '../router.ts'
import { formatAgo, shortDigest } from '../ui/format.ts'
import { icons } from '../ui/icons.ts'
import { shared } from '../ui/styles.ts'

class PoliciesPage extends LitElement {
  readonly #versions = new Load<ListVersionsReply>(
    this,
    (signal) => api().listVersions({}, { signal }),
    10_000,
  )

  #row(version: ListVersionsReply['items'][number]) {
    const { push } = version
    return html`<tr class="link" @click=${() => navigate(`/policies/v${version.version}`)}>
      <td><a href="/policies/v${version.version}"><strong>v${version.version}</strong></a></td>
      <td>${version.workspace}</td>
      <td>${version.environments.map((each) => html`<span class="badge good">${each}</span> `)}</td>
      <td>${push.message ?? html`<span class="muted">${push.source}</span>`}</td>
      <td class="muted">${push.author ?? push.by}</td>
      <td class="muted">${formatAgo(version.createdMs, Date.now())}</td>
      <td><code class="muted">${shortDigest(version.digest)}</code></td>
    </tr>`
  }

  override render() {
    return html`<div class="head"><h1>Policies</h1><a class="button" href="/policies/backtest/report">Backtest report</a></div>
      ${this.#versions.render(({ items }) =>
        items.length === 0
          ? html`<section class="card">
              <sb-empty-state heading="No version yet" text="Write a workspace, test it, push it. Every push is a version that never changes.">
                <sb-copy-text .text=${'npx signalbox init acme\nnpx signalbox test acme\nnpx signalbox push acme --env development'}></sb-copy-text>
              </sb-empty-state>
            </section>`
          : html`<section class="card"><div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
              <thead><tr><th>Version</th><th>Workspace</th><th>Stable in</th><th>Change</th><th>By</th><th>When</th><th>Digest</th></tr></thead>
              <tbody>${items.map((version) => this.#row(version))}</tbody>
            </table></div></section>`,
      )}`
  }

  static override styles = [shared]
}
customElements.define('sb-policies-page', PoliciesPage)

export const page = definePage({
  path: '/policies',
  title: 'Policies',
  nav: { order: 2, icon: icons.policies },
  render: () => html`<sb-policies-page></sb-policies-page>`,
})
