/** The part of WebAssembly that the sandbox uses; Node has it, its type package does not declare it. */
declare namespace WebAssembly {
  type ExportValue = ((...values: never[]) => unknown) | Global | Memory
  type Exports = Record<string, ExportValue>

  class Module {
    constructor(bytes: Uint8Array)
    static customSections(module: Module, name: string): ArrayBuffer[]
    static exports(module: Module): { name: string; kind: string }[]
    static imports(module: Module): { module: string; name: string; kind: string }[]
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, ExportValue>>)
    readonly exports: Exports
  }
  class Memory {
    constructor(limits: { initial: number; maximum: number })
    readonly buffer: ArrayBuffer
  }
  class Global {
    value: number
  }
  /** A trap. */
  class RuntimeError extends Error {}

  function compile(bytes: Uint8Array): Promise<Module>
}
