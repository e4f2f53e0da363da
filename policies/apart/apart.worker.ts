/** The thread of `runApart`: one task, then it ends; and of `WarmThread`: as many as are sent, one at a time. */
import { parentPort, workerData } from 'node:worker_threads'
import { prepareLayer } from '../evaluation/layer.ts'
import { createSandbox } from '../sandbox/index.ts'
import type { Outcome, Task, TaskName, Tasks } from './tasks.ts'

const tasks: { [Name in TaskName]: (input: Tasks[Name]['input']) => Promise<Tasks[Name]['output']> } = {
  async prepare({ workspaces, environment, limits }) {
    const sandbox = await createSandbox(limits)
    return workspaces.map((workspace) => prepareLayer(sandbox, workspace, environment))
  },

  async build(input) {
    // A thread that prepares starts sooner without the compiler.
    const { build } = await import('./build-task.ts')
    return await build(input)
  },

  async compare(input) {
    const { compare } = await import('./compare-task.ts')
    return await compare(input)
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
