import type { ConnectionStatus, GetStatusReply } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api } from '../api.ts'
import { Load } from '../load.ts'
import { definePage } from '../router.ts'
import '../ui/fleet-table.ts'
import { icons } from '../ui/icons.ts'
import { shared } from '../ui/styles.ts'

type Environment = GetStatusReply['environments'][number]
interface Fleet {
  readonly environments: readonly Environment[]
  readonly connections: ReadonlyMap<string, readonly ConnectionStatus[]>
}
const tones = { available: 'good', simulated: 'warn', unavailable: 'bad', unknown: '' } as const

class GatewaysPage extends LitElement {
  readonly #fleet = new Load<Fleet>(
    this,
    async (signal) => {
      const { environments } = await api().getStatus({}, { signal })
      const used = environments.filter((each) => each.gateways.length > 0 || each.deployments.length > 0)
      const lists = await Promise.all(
        used.map(async ({ name }) => {
          const { items } = await api().listConnections({ environment: name }, { signal })
          return [name, items] as const
        }),
      )
      return { environments: used, connections: new Map(lists) }
    },
    5000,
  )

  #connections(items: readonly ConnectionStatus[]) {
    return html`<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
      <thead><tr><th>Connection</th><th>Provider</th><th>State</th><th>Credential</th><th>Where</th></tr></thead>
      <tbody>
        ${items.map(
          (each) => html`<tr>
            <td><strong>${each.name}</strong></td>
            <td>${each.provider}</td>
            <td><span class="badge ${tones[each.status]}">${each.status}</span></td>
            <td><code>${each.credential ?? '–'}</code></td>
            <td>${each.locality}${each.baseUrl === null ? nothing : html` <code class="muted">${each.baseUrl}</code>`}</td>
          </tr>`,
        )}
      </tbody>
    </table></div>`
  }

  override render() {
    return html`<div class="head"><h1>Gateways</h1></div>
      ${this.#fleet.render(
        ({ environments, connections }) => html`<div class="stack">
          ${environments.map(
            (environment) => html`<section class="card">
              <header>
                <h2>${environment.name}</h2>
                <span class="row">
                  ${environment.deployments.map((each) => html`<span class="badge accent">${each.workspace} v${each.stable.version}</span>`)}
                  <span class="badge ${environment.converged ? 'good' : 'warn'}">${environment.converged ? 'converged' : 'converging'}</span>
                </span>
              </header>
              <sb-fleet-table .environment=${environment}></sb-fleet-table>
              <h3>Connections</h3>
              ${this.#connections(connections.get(environment.name) ?? [])}
            </section>`,
          )}
        </div>`,
      )}`
  }

  static override styles = [
    shared,
    css`
      h3 { margin: 0; padding: 14px 18px 8px; font-size: 13px; border-top: 1px solid var(--line); }
    `,
  ]
}
customElements.define('sb-gateways-page', GatewaysPage)

export const page = definePage({
  path: '/gateways',
  title: 'Gateways',
  nav: { order: 5, icon: icons.gateways },
  render: () => html`<sb-gateways-page></sb-gateways-page>`,
})
