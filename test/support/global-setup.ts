import type { TestProject } from 'vitest/node'
import { startDatabaseDesk } from './database-server.ts'

/** Runs once before all tests: what is expensive and shared is prepared here, or at its first use. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const desk = await startDatabaseDesk()
  project.provide('databaseDesk', desk.url)
  return () => desk.stop()
}
