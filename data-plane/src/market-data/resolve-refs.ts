import { type InstrumentRef, keyOfAlias } from '@ticker/shared/domain'
import type { DirectoryInstrument, InstrumentDirectory } from './instrument-directory.ts'

/** The instruments that refs name, each once and in their order, and the refs that name none. */
export function resolveRefs(directory: InstrumentDirectory, refs: readonly InstrumentRef[]) {
  const instruments = new Map<number, DirectoryInstrument>()
  const unknown: InstrumentRef[] = []
  for (const ref of refs) {
    const found = typeof ref === 'number' ? directory.byToken(ref) : byName(directory, ref)
    if (found) instruments.set(found.instrument_token, found)
    else unknown.push(ref)
  }
  return { instruments: [...instruments.values()], unknown }
}

/** A symbol that the dump lists is itself; only what it does not list may be an alias. */
function byName(directory: InstrumentDirectory, name: string): DirectoryInstrument | undefined {
  const listed = directory.byKey(name)
  if (listed) return listed
  const alias = keyOfAlias(name)
  return alias === undefined ? undefined : directory.byKey(alias)
}
