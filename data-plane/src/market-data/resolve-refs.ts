import type { InstrumentRef } from '@ticker/shared/domain'
import type { DirectoryInstrument, InstrumentDirectory } from './instrument-directory.ts'

/** The instruments that refs name, each once and in their order, and the refs that name none. */
export function resolveRefs(directory: InstrumentDirectory, refs: readonly InstrumentRef[]) {
  const instruments = new Map<number, DirectoryInstrument>()
  const unknown: InstrumentRef[] = []
  for (const ref of refs) {
    const found = typeof ref === 'number' ? directory.byToken(ref) : directory.byKey(ref)
    if (found) instruments.set(found.instrument_token, found)
    else unknown.push(ref)
  }
  return { instruments: [...instruments.values()], unknown }
}
