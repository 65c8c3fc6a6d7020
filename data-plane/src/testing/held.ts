import type { Held } from '../market-data/interest/held.ts'

/** An instrument that an account of its owner streams. */
export const streamed = (owner: string, token: number): Held => ({
  ...{ owner, token, preferred: null, mode: 'full', holders: [0, 0, 0, 1] },
  ...{ standing: 'streams', account: owner, served: 'full', sinceSeq: 0 },
})
