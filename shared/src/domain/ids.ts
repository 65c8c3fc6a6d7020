import { v7 } from 'uuid'

export type IdPrefix =
  | 'ord'
  | 'chg'
  | 'slc'
  | 'bat'
  | 'gtw'
  | 'cnv'
  | 'ext'
  | 'key'
  | 'aud'
  | 'req'
  | 'ref'
  | 'hst'
  | 'whk'
  | 'whd'
  | 'rcn'

/** A UUIDv7 with its kind in front: sorts by creation, says what it names (DECISIONS: ids). */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${v7().replaceAll('-', '')}`
}
