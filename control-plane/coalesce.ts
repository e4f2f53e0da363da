/**
 * Runs `work` for a key such that every caller gets the result of a run that started after its call, and callers that
 * come while one runs share the next. At most one run per key at a time, at most one waiting.
 */
export function coalesce<T>(work: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const running = new Map<string, { current: Promise<T>; next: Promise<T> | undefined }>()

  const start = (key: string): Promise<T> => {
    const current = work(key)
    running.set(key, { current, next: undefined })
    const settle = (): void => {
      if (running.get(key)?.current === current && running.get(key)?.next === undefined) running.delete(key)
    }
    current.then(settle, settle)
    return current
  }
  return (key) => {
    const entry = running.get(key)
    if (entry === undefined) return start(key)
    entry.next ??= entry.current.then(
      () => start(key),
      () => start(key),
    )
    return entry.next
  }
}
