/*
 * Runs inside the sandbox, once, before any author's code; its text is part of `engine.wasm`. It takes away
 * what the engine cannot be built without (code from strings, chance), then freezes all built-ins, so that
 * one policy of a version cannot change what `Array.prototype.filter` means to another. Its value is the
 * function that `load` calls with the author's function.
 */
;(() => {
  const { defineProperty, freeze, getOwnPropertyDescriptor, getPrototypeOf } = Object
  const { ownKeys } = Reflect

  const refuse = (name, advice) => {
    const refused = {
      [name]: () => {
        throw new TypeError(`${name} does not exist in the sandbox${advice}`)
      },
    }
    return refused[name]
  }

  // Code from strings. `Function` stays as a name, for `instanceof`.
  const fromString = refuse('Function', ': no code from strings')
  defineProperty(fromString, 'prototype', { value: Function.prototype })
  defineProperty(Function.prototype, 'constructor', { value: fromString })
  const generator = getPrototypeOf(function* () {})
  defineProperty(generator, 'constructor', { value: fromString })
  globalThis.Function = fromString
  // biome-ignore lint/security/noGlobalEval: this is what takes it away.
  delete globalThis.eval

  Math.random = refuse('Math.random', ': use the seed in the facts')

  // A frozen prototype would also forbid `error.name = …` on the objects below it. An accessor allows that.
  const allowOverride = (prototype, names) => {
    for (const name of names) {
      const descriptor = getOwnPropertyDescriptor(prototype, name)
      if (!descriptor || !('value' in descriptor)) continue
      const { value } = descriptor
      const set = function (own) {
        if (this === prototype) throw new TypeError(`built-in ${String(name)} is read-only`)
        defineProperty(this, name, { value: own, writable: true, enumerable: true, configurable: true })
      }
      defineProperty(prototype, name, { get: () => value, set, enumerable: false, configurable: false })
    }
  }
  allowOverride(Object.prototype, ['constructor', 'hasOwnProperty', 'toLocaleString', 'toString', 'valueOf'])
  for (const name of ownKeys(globalThis)) {
    const { prototype } = globalThis[name] ?? {}
    if (prototype !== Error.prototype && !(prototype instanceof Error)) continue
    allowOverride(prototype, ['constructor', 'message', 'name', 'toString'])
  }

  const seen = new Set([globalThis])
  const freezeAll = (value) => {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value))
      return
    seen.add(value)
    freeze(value)
    freezeAll(getPrototypeOf(value))
    for (const key of ownKeys(value)) {
      const descriptor = getOwnPropertyDescriptor(value, key)
      freezeAll(descriptor.value)
      freezeAll(descriptor.get)
      freezeAll(descriptor.set)
    }
  }
  for (const key of ownKeys(globalThis)) freezeAll(globalThis[key])
  // Prototypes that no global leads to.
  const iterators = [
    [].values(),
    ''[Symbol.iterator](),
    new Map().values(),
    new Set().values(),
    ''.matchAll(/a/g),
  ]
  iterators.push([].values().map(freeze), Iterator.from({ next() {} }))
  for (const iterator of iterators) freezeAll(getPrototypeOf(iterator))
  freezeAll(generator)

  return (decide) => {
    if (typeof decide !== 'function') throw new TypeError('the script must end with a function')
    freeze(globalThis)
    return (input) => {
      const output = decide(input)
      if (typeof output !== 'string') throw new TypeError('the function must return a string')
      return output
    }
  }
})()
