import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TextMemory } from '../../../policies/sandbox/guest-memory.ts'

const size = 64
const text = fc.string({ unit: fc.constantFrom('a', 'é', '€', '𝄞', '\ud800', '\udc00', '\ufeff', '\0') })

it('writes and reads texts as a Buffer does, odd ones and ones that do not fit too', () => {
  fc.assert(
    fc.property(text, fc.nat(20), fc.nat(40), (written, address, bytesMax) => {
      const [own, buffer] = [new TextMemory(size), Buffer.alloc(size)]
      expect(own.write(written, address, bytesMax)).toBe(buffer.write(written, address, bytesMax))
      expect(Buffer.from(own.buffer).equals(buffer)).toBe(true)
    }),
  )
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: size, maxLength: size }),
      fc.nat(30),
      fc.nat(34),
      (bytes, start, length) => {
        const own = new TextMemory(bytes)
        expect(own.toString('utf8', start, start + length)).toBe(
          Buffer.from(bytes).toString('utf8', start, start + length),
        )
      },
    ),
  )
})
