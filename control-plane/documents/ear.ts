import type { ChangeEvent, ChangeFeed } from '../db/change-feed.ts'

/** Hears of changes from the moment it is made until it is closed. Make it before looking: then none is missed. */
export interface Ear {
  /** True once there was a change since the last call (or the start); false after `timeoutMs` or when aborted. */
  heard(options: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<boolean>
  close(): void
}

/** Listens for the changes that `concerns`, and for `resync`: then some may have been missed. */
export function openEar(changes: ChangeFeed, concerns: (event: ChangeEvent) => boolean): Ear {
  let changed = false
  let wake = (): void => {}
  const unsubscribe = changes.subscribe((event) => {
    if (!concerns(event) && event.type !== 'resync') return
    changed = true
    wake()
  })
  return {
    async heard({ timeoutMs, signal }) {
      if (!changed && timeoutMs > 0 && !signal.aborted) {
        let timer: NodeJS.Timeout | undefined
        await new Promise<void>((resolve) => {
          wake = resolve
          timer = setTimeout(resolve, timeoutMs)
          signal.addEventListener('abort', wake, { once: true })
        })
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        wake = () => {}
      }
      const was = changed
      changed = false
      return was && !signal.aborted
    },
    close: unsubscribe,
  }
}
