/** The token of this tab; it is gone when the tab is closed. */
const tokenKey = 'signalbox.token'
/** This tab works with the cookie of a user's session, which no script can read. */
const userKey = 'signalbox.user'

export const session = {
  get token(): string | null {
    return sessionStorage.getItem(tokenKey)
  },
  /** Name of the user whose session it is; null with a token, or before signing in. */
  get user(): string | null {
    return sessionStorage.getItem(userKey)
  },
  get isSignedIn(): boolean {
    return this.token !== null || this.user !== null
  },
  signIn(token: string): void {
    sessionStorage.removeItem(userKey)
    sessionStorage.setItem(tokenKey, token)
  },
  signInAs(user: string): void {
    sessionStorage.removeItem(tokenKey)
    sessionStorage.setItem(userKey, user)
  },
  signOut(): void {
    sessionStorage.removeItem(tokenKey)
    sessionStorage.removeItem(userKey)
  },
}
