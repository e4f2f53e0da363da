/** What somebody wrote and has not taken elsewhere yet: kept for the tab, whatever page is looked at meanwhile. */
export interface Draft {
  /** Number of the version that the files are laid over. */
  readonly version: number
  /** Edited files by path. */
  readonly files: Readonly<Record<string, string>>
  readonly open: string
  readonly facts: { readonly source: string; readonly text: string }
}

const storageKey = 'signalbox.playground'

function isDraft(value: unknown): value is Draft {
  const { version, files, open, facts } = Object(value)
  return (
    Number.isInteger(version) &&
    typeof open === 'string' &&
    typeof Object(facts).text === 'string' &&
    typeof Object(facts).source === 'string' &&
    Object.values(Object(files)).every((text) => typeof text === 'string')
  )
}

export function loadDraft(): Draft | undefined {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(storageKey) ?? 'null')
    return isDraft(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** False where the browser has no room for it; the page then says so. */
export function saveDraft(draft: Draft): boolean {
  try {
    sessionStorage.setItem(storageKey, JSON.stringify(draft))
    return true
  } catch {
    return false
  }
}

export function dropDraft(): void {
  sessionStorage.removeItem(storageKey)
}

/** Offers a text as a file to keep. */
export function download(path: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  const link = document.createElement('a')
  link.href = url
  link.download = path.split('/').at(-1) ?? path
  link.click()
  URL.revokeObjectURL(url)
}
