/** The thread of `runApart`: one task, then it ends; and of `WarmThread`: as many as are sent, one at a time. */
import { parentPort, workerData } from 'node:worker_threads'
import { runCases } from '../cases/run-cases.ts'
import { buildVersion } from '../compile/build-version.ts'
import { prepareLayer } from '../evaluation/layer.ts'
import { createSandbox } from '../sandbox/index.ts'
import { createEngine } from '../start-engine.ts'
import type { Outcome, Task, TaskName, Tasks } from './tasks.ts'

const tasks: { [Name in TaskName]: (input: Tasks[Name]['input']) => Promise<Tasks[Name]['output']> } = {
  async prepare({ workspaces, environment, limits }) {
    const sandbox = await createSandbox(limits)
    return workspaces.map((workspace) => prepareLayer(sandbox, workspace, environment))
  },

  async build({ files, catalogue: { text, digest }, typeCheck, runCases: asksCases }) {
    const catalogue = { catalogue: JSON.parse(text), text, digest }
    const built = await buildVersion(files, { catalogue, typeCheck, overFuel: 'refuse' })
    // Its figures are worked out where they are asked for, and functions do not go from one thread to another.
    const result = { ...built, analysis: null }
    if (result.version === null || !asksCases) return { result, cases: null }
    const engine = await createEngine()
    return { result, cases: await runCases(result.version, files, { engine, catalogue }) }
  },
}

async function run<Name extends TaskName>(name: Name, input: Tasks[Name]['input']): Promise<Outcome<Name>> {
  try {
    return { output: await tasks[name](input) }
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) }
  }
}

if (workerData === null) {
  parentPort?.on('message', async ({ name, input }: Task) => {
    parentPort?.postMessage(await run(name, input))
  })
} else {
  const { name, input } = workerData
  parentPort?.postMessage(await run(name, input))
}
