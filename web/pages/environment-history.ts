import type { Deployment, Version } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { keyed } from 'lit/directives/keyed.js'
import { api } from '../api.ts'
import type { ConfirmDialog } from '../deployments/confirm-dialog.ts'
import '../deployments/confirm-dialog.ts'
import '../deployments/environment-tabs.ts'
import { causeText, metricNames, pointsAt } from '../deployments/wording.ts'
import { Load } from '../load.ts'
import { definePage } from '../router.ts'
import '../ui/empty-state.ts'
import { formatAgo, formatTime } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'

interface History {
  readonly deployments: readonly Deployment[]
  readonly versions: ReadonlyMap<string, Version>
}
const shownAtFirst = 50
const shownMax = 500
const tones = { push: 'accent', promotion: 'accent', ramp: '', rollback: 'warn', guard: 'bad' } as const

/** The shadow that a deployment brought. */
function newShadow({ shadows }: Deployment, before: Deployment | undefined) {
  return shadows.find(({ digest }) => before?.shadows.every((each) => each.digest !== digest))
}

/** What an environment pointed at and when: who, commit, CI run, from Git or not. */
class EnvironmentHistoryPage extends LitElement {
  static override properties = { environment: {}, limit: { state: true } }
  declare environment: string
  declare limit: number
  readonly #data: Load<History>

  constructor() {
    super()
    this.environment = ''
    this.limit = shownAtFirst
    this.#data = new Load(
      this,
      async (signal) => {
        const { environment, limit } = this
        const [deployments, versions] = await Promise.all([
          api().listDeployments({ environment, limit }, { signal }),
          api().listVersions({ limit: shownMax }, { signal }),
        ])
        return {
          deployments: deployments.items,
          versions: new Map(versions.items.map((each) => [each.digest, each])),
        }
      },
      10_000,
    )
  }

  #more(): void {
    this.limit = Math.min(shownMax, this.limit * 4)
    void this.#data.run()
  }

  /** Which versions the step is between, for the comparison; undefined where it is between none. */
  #step(deployment: Deployment, before: Deployment | undefined): [number, number] | undefined {
    const { stable, candidate } = deployment
    if (before !== undefined && before.stable.digest !== stable.digest) {
      return [before.stable.version, stable.version]
    }
    if (candidate !== null && before?.candidate?.digest !== candidate.digest) {
      return [stable.version, candidate.version]
    }
    const shadow = newShadow(deployment, before)
    return shadow === undefined ? undefined : [stable.version, shadow.version]
  }

  /** What stands now, where it is worth to go back from it to the stable version of an older entry. */
  #backFrom({ id, workspace, stable }: Deployment, { deployments }: History): Deployment | undefined {
    const own = deployments.filter((each) => each.workspace === workspace)
    const newest = own.find((each) => each.stable.digest === stable.digest)
    const now = own.find(({ status }) => status === 'live')
    return newest?.id === id && now?.stable.digest !== stable.digest ? now : undefined
  }

  #rollBack({ stable }: Deployment, now: Deployment): void {
    const { environment, workspace, revision, candidate } = now
    void this.renderRoot.querySelector<ConfirmDialog>('sb-confirm-dialog')?.ask({
      title: `Roll back to v${stable.version}?`,
      text: html`<p class="muted">All calls are decided by v${stable.version} again instead of v${now.stable.version}${candidate === null ? '' : `, and v${candidate.version} is no candidate any more`}. Nothing is lost.</p>`,
      action: `Roll back to v${stable.version}`,
      danger: true,
      reason: { label: 'Why', required: false },
      run: ({ reason }) =>
        api().rollbackDeployment({
          ...{ environment, workspace, revision, to: stable.digest },
          ...(reason === undefined ? {} : { reason }),
        }),
    })
  }

  #origin(version: Version) {
    const { push } = version
    const ci = push.ciRun
    return html`<p class="origin small">
      <a href="/policies/v${version.version}">v${version.version}</a>
      ${push.message === null ? nothing : html`“${push.message}”`}
      ${
        version.parent !== null && !version.inGit
          ? html`<span class="badge warn">made in the console, Git does not have it</span>`
          : version.inGit
            ? html`<span class="badge">Git</span>`
            : html`<span class="badge">not from Git</span>`
      }
      ${push.commit === null ? html`<code class="muted">${push.source}</code>` : html`<code>${push.commit.slice(0, 10)}</code>`}
      <span class="muted">by ${push.author ?? push.by}</span>
      ${ci === null ? nothing : /^https?:\/\//.test(ci) ? html`<a href=${ci} rel="noreferrer" target="_blank">CI run</a>` : html`<span class="muted">CI run ${ci}</span>`}
    </p>`
  }

  #entry(deployment: Deployment, before: Deployment | undefined, history: History) {
    const { versions } = history
    const now = this.#backFrom(deployment, history)
    const { id, cause, by, createdMs, reason, evidence, candidate, stable, environment, approval, status } =
      deployment
    const step = this.#step(deployment, before)
    const version = versions.get((newShadow(deployment, before) ?? candidate ?? stable).digest)
    const agreed = approval?.decisions.filter(({ decision }) => decision === 'approved') ?? []
    return html`<li class=${cause}>
      <div class="row spread">
        <span class="row"><span class="badge ${tones[cause]}">${causeText(deployment, before)}</span>
          <strong>${deployment.workspace}</strong> <span>${pointsAt(deployment)}</span>
          ${status === 'live' ? html`<span class="badge good">now</span>` : nothing}</span>
        <span class="muted small" title=${formatTime(createdMs)}>${by}, ${formatAgo(createdMs, Date.now())}</span>
      </div>
      ${reason === null || evidence !== null ? nothing : html`<p>“${reason}”</p>`}
      ${evidence === null ? nothing : html`<p class="evidence"><strong>${metricNames[evidence.metric]}:</strong> ${evidence.message}</p>`}
      ${cause === 'ramp' || version === undefined ? nothing : this.#origin(version)}
      ${agreed.length === 0 ? nothing : html`<p class="small muted">Agreed to by ${agreed.map(({ person }) => person).join(', ')}; asked for by ${approval?.requestedBy}.</p>`}
      <p class="row small">
        ${step === undefined ? nothing : html`<a href="/policies/v${step[1]}/changes?from=v${step[0]}">v${step[0]} → v${step[1]}: what changed</a>`}
        <a href="/deployments/${environment}/history/${id}" aria-label="${evidence === null ? 'Details' : 'Evidence'} of revision ${deployment.revision}">${evidence === null ? 'Details' : 'Evidence'}</a>
        ${now === undefined ? nothing : html`<button @click=${() => this.#rollBack(deployment, now)}>Roll back to v${stable.version}…</button>`}
      </p>
    </li>`
  }

  override render() {
    return html`<sb-environment-tabs environment=${this.environment} current="History"></sb-environment-tabs>
      ${this.#data.render((data) => {
        const { deployments } = data
        if (deployments.length === 0) {
          return html`<section class="card"><sb-empty-state heading="Nothing was deployed yet" text="Every push, promotion, ramp step and rollback stands here from the first one on.">
            <a href="/deployments/${this.environment}">Deploy a version</a></sb-empty-state></section>`
        }
        return html`<section class="card"><ol aria-label="Deployments, newest first">
            ${deployments.map((each, index) =>
              this.#entry(
                each,
                deployments.slice(index + 1).find(({ workspace }) => workspace === each.workspace),
                data,
              ),
            )}
          </ol></section>
          <sb-confirm-dialog @done=${() => this.#data.run()}></sb-confirm-dialog>
          ${deployments.length < this.limit || this.limit >= shownMax ? nothing : html`<p class="more"><button @click=${this.#more}>Show more</button></p>`}`
      })}`
  }

  static override styles = [
    shared,
    css`
      ol { list-style: none; margin: 0; padding: 0; }
      li { padding: 14px 18px 14px 34px; display: grid; grid-template-columns: minmax(0, 1fr); gap: 6px; position: relative; }
      li + li { border-top: 1px solid var(--line); }
      li::before { content: ""; position: absolute; left: 15px; top: 21px; width: 9px; height: 9px; border-radius: 50%;
        background: var(--bar); }
      li.guard::before { background: var(--bar-bad); }
      li.rollback::before { background: var(--bar-warn); }
      li::after { content: ""; position: absolute; left: 19px; top: 32px; bottom: -20px; width: 1px; background: var(--line-strong); }
      li:last-child::after { display: none; }
      p { overflow-wrap: anywhere; }
      .origin { display: flex; flex-wrap: wrap; gap: 4px 10px; align-items: baseline; }
      .evidence { color: var(--bad); }
      .more { margin-top: 14px; text-align: center; }
    `,
  ]
}
customElements.define('sb-environment-history-page', EnvironmentHistoryPage)

export const page = definePage({
  path: '/deployments/:environment/history',
  title: 'History',
  render: ({ environment = '' }) =>
    html`${keyed(environment, html`<sb-environment-history-page .environment=${environment}></sb-environment-history-page>`)}`,
})
