import { css, html, LitElement, nothing } from 'lit'
import { api } from './api.ts'
import { pages } from './pages.ts'
import { matchPage, navigate, type Page } from './router.ts'
import { session } from './session.ts'
import './sign-in.ts'
import { icons } from './ui/icons.ts'
import { shared } from './ui/styles.ts'

type Theme = 'light' | 'dark'
const themeKey = 'signalbox.theme'

function initialTheme(): Theme {
  const stored = localStorage.getItem(themeKey)
  if (stored === 'light' || stored === 'dark') return stored
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
}

/** The frame of the console: navigation, sign-in, the page of the address. */
export class Shell extends LitElement {
  static override properties = { theme: { state: true }, path: { state: true }, signedIn: { state: true } }
  declare theme: Theme
  declare path: string
  declare signedIn: boolean

  constructor() {
    super()
    this.theme = initialTheme()
    this.path = location.pathname
    this.signedIn = session.isSignedIn
  }

  readonly #onPath = (): void => {
    this.path = location.pathname
  }

  readonly #onSignedOut = (): void => this.#signOut()

  override connectedCallback(): void {
    super.connectedCallback()
    addEventListener('popstate', this.#onPath)
    addEventListener('signalbox-signed-out', this.#onSignedOut)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    removeEventListener('popstate', this.#onPath)
    removeEventListener('signalbox-signed-out', this.#onSignedOut)
  }

  override willUpdate(): void {
    document.documentElement.dataset.theme = this.theme
    const title = matchPage(pages, this.path)?.page.title
    document.title = title === undefined ? 'Signalbox' : `${title} · Signalbox`
  }

  #signOut(): void {
    session.signOut()
    this.signedIn = false
  }

  /** A user's session is ended where it is kept, not only forgotten here. */
  async #leave(): Promise<void> {
    if (session.user !== null)
      await api()
        .signOut()
        .catch(() => undefined)
    this.#signOut()
  }

  #toggleTheme(): void {
    this.theme = this.theme === 'dark' ? 'light' : 'dark'
    localStorage.setItem(themeKey, this.theme)
  }

  /** Links inside the console change the page without loading it anew. */
  #onClick(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey)
      return
    const link = event.composedPath().find((each) => each instanceof HTMLAnchorElement)
    if (link === undefined || link.origin !== location.origin || link.target !== '' || link.hash !== '')
      return
    event.preventDefault()
    navigate(link.pathname + link.search)
  }

  #navigation(current: Page | undefined) {
    const shown = pages.flatMap((page) => (page.nav === undefined ? [] : [{ page, nav: page.nav }]))
    const section = `/${this.path.split('/')[1] ?? ''}`
    return html`<nav aria-label="Console">
      ${shown
        .toSorted((a, b) => a.nav.order - b.nav.order)
        .map(
          ({ page, nav }) => html`<a
            href=${page.path}
            aria-current=${page === current || page.path === section ? 'page' : nothing}
            >${nav.icon}<span>${page.title}</span></a>`,
        )}
    </nav>`
  }

  override render() {
    if (!this.signedIn) {
      return html`<sb-sign-in @signed-in=${() => {
        this.signedIn = true
      }}></sb-sign-in>`
    }
    const match = matchPage(pages, this.path)
    return html`<div class="frame" @click=${this.#onClick}>
      <aside>
        <a class="brand" href="/">${icons.mark}<span>Signalbox</span></a>
        ${this.#navigation(match?.page)}
        <div class="foot">
          <button class="quiet" @click=${this.#toggleTheme} aria-label="Switch to ${this.theme === 'dark' ? 'light' : 'dark'} colours">
            ${this.theme === 'dark' ? icons.sun : icons.moon}
          </button>
          <a class="quiet" href="/account" aria-label="Account">${icons.account}</a>
          <button class="quiet" @click=${this.#leave} aria-label="Sign out">${icons.out}</button>
        </div>
      </aside>
      <main>
        ${
          match === undefined
            ? html`<sb-empty-state heading="There is no such page" text="The address may be mistyped."><a href="/">To the overview</a></sb-empty-state>`
            : match.page.render(match.params)
        }
      </main>
    </div>`
  }

  static override styles = [
    shared,
    css`
      :host { min-height: 100vh; }
      .frame { display: grid; grid-template-columns: 208px minmax(0, 1fr); min-height: 100vh; }
      aside { border-right: 1px solid var(--line); background: var(--surface); padding: 18px 12px; display: flex;
        flex-direction: column; gap: 22px; position: sticky; top: 0; height: 100vh; overflow-y: auto; }
      .brand { display: flex; gap: 10px; align-items: center; color: var(--text); font-weight: 680; font-size: 16px;
        padding: 0 8px; }
      .brand:hover { text-decoration: none; }
      nav { display: grid; gap: 2px; }
      nav a { display: flex; gap: 10px; align-items: center; padding: 8px 10px; border-radius: 8px; color: var(--muted);
        font-weight: 540; }
      nav a:hover { background: var(--sunken); color: var(--text); text-decoration: none; }
      nav a[aria-current] { background: var(--accent-soft); color: var(--accent); }
      .foot { margin-top: auto; display: flex; gap: 4px; }
      .foot button { padding: 8px; }
      .foot a { padding: 8px; color: var(--muted); display: grid; place-items: center; }
      main { padding: 32px clamp(16px, 4vw, 48px) 64px; max-width: 1280px; width: 100%; }
      @media (max-width: 760px) {
        .frame { grid-template-columns: minmax(0, 1fr); grid-template-rows: auto 1fr; }
        aside { position: static; height: auto; flex-flow: row wrap; align-items: center; gap: 4px 8px; padding: 8px 12px;
          border-right: 0; border-bottom: 1px solid var(--line); }
        .brand span, nav a span { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
        nav { display: flex; flex: 1 0 100%; flex-wrap: wrap; order: 1; gap: 0 6px; }
        nav a { padding: 8px; }
        .foot { margin: 0 0 0 auto; }
        main { padding-top: 20px; }
      }
    `,
  ]
}
customElements.define('sb-shell', Shell)
