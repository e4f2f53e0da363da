import type { Reporter, TestModule } from 'vitest/node'

/** Ends a run with the plain line that CI reads: `N passed, N failed, N skipped`. */
export default class Summary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    let passed = 0
    let failed = unhandled.length
    let skipped = 0
    for (const module of modules) {
      const tests = [...module.children.allTests()]
      const states = tests.map((test) => test.result().state)
      if (module.state() === 'failed' && !states.includes('failed')) failed++
      passed += states.filter((state) => state === 'passed').length
      failed += states.filter((state) => state === 'failed').length
      skipped += states.filter((state) => state === 'skipped' || state === 'pending').length
    }
    const tail = skipped > 0 ? `, ${skipped} skipped` : ''
    process.on('exit', () => {
      process.stdout.write(`${passed} passed, ${failed} failed${tail}\n`)
    })
  }
}
