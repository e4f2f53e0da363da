/** Runs once before all tests: what is expensive and shared is prepared here. */
export default async function setup(): Promise<() => Promise<void>> {
  return async () => {}
}
