// What the REST routes share: the parts they are built from and the user that a request was authenticated as.
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { SimClock } from '../clock.ts'
import type { Faults } from '../faults/faults.ts'
import type { GttDesk } from '../gtts/gtt-desk.ts'
import type { Histories } from '../history/histories.ts'
import type { InstrumentBook } from '../instruments/instrument-book.ts'
import type { OrderBooks } from '../orders/order-books.ts'
import type { DelayRange, OrderDesk } from '../orders/order-desk.ts'
import type { PriceEngine } from '../prices/engine.ts'
import type { Random } from '../random.ts'
import type { Tasks } from '../tasks.ts'
import type { User, UserStore } from '../users/user-store.ts'

export type RestEnv = { Bindings: HttpBindings; Variables: { user: User } }
export type RestContext = Context<RestEnv>

export interface RestParts {
  clock: SimClock
  users: UserStore
  instruments: InstrumentBook
  engine: PriceEngine
  histories: Histories
  books: OrderBooks
  desk: OrderDesk
  gtts: GttDesk
  faults: Faults
  tasks: Tasks
  random: Random
  replyDelayMs: DelayRange
  rateLimits: boolean
}
