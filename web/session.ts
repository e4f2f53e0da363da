/** The token of this tab; it is gone when the tab is closed. */
const storageKey = 'signalbox.token'

export const session = {
  get token(): string | null {
    return sessionStorage.getItem(storageKey)
  },
  signIn(token: string): void {
    sessionStorage.setItem(storageKey, token)
  },
  signOut(): void {
    sessionStorage.removeItem(storageKey)
  },
}
