import type { TemplateResult } from 'lit'

/** A page: where it is, what it is called, whether the navigation shows it. One file in `pages/`. */
export interface Page {
  /** Path with `:params`. */
  readonly path: string
  readonly title: string
  /** Place in the navigation; left out for pages that another leads to. */
  readonly nav?: { readonly order: number; readonly icon: TemplateResult }
  render(params: Readonly<Record<string, string>>): TemplateResult
}

/** Keeps the literal type and says what a page file exports. */
export function definePage(page: Page): Page {
  return page
}

export interface Match {
  readonly page: Page
  readonly params: Readonly<Record<string, string>>
}

/** The page of a path, with its parameters decoded. */
export function matchPage(pages: readonly Page[], path: string): Match | undefined {
  const parts = path.split('/').filter((part) => part !== '')
  for (const page of pages) {
    const pattern = page.path.split('/').filter((part) => part !== '')
    if (pattern.length !== parts.length) continue
    const params: Record<string, string> = {}
    const fits = pattern.every((each, index) => {
      const part = parts[index] ?? ''
      if (!each.startsWith(':')) return each === part
      params[each.slice(1)] = decodeURIComponent(part)
      return true
    })
    if (fits) return { page, params }
  }
  return undefined
}

/** Goes to a path of the console; the shell listens. */
export function navigate(path: string): void {
  history.pushState(null, '', path)
  dispatchEvent(new PopStateEvent('popstate'))
}

/** Changes the query of this page without a step in the history: filters live in the address. */
export function setQuery(values: Readonly<Record<string, string>>): void {
  const query = new URLSearchParams(location.search)
  for (const [name, value] of Object.entries(values)) {
    if (value === '') query.delete(name)
    else query.set(name, value)
  }
  history.replaceState(null, '', query.size > 0 ? `${location.pathname}?${query}` : location.pathname)
}
