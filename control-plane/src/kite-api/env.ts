// What a request of a Kite client carries to the code that serves it.
import type { Scope } from '@ticker/shared/domain'
import type { Context } from 'hono'
import type { AppEnv } from '../dependencies.ts'
import type { Call } from '../http/call.ts'

export interface KiteEnv {
  /** The request as the whole application has it. */
  Bindings: { outer: Context<AppEnv> }
  Variables: {
    /** The call as our own features see it; throws without the scope. */
    kite(scope?: Scope): { call: Call; accountId: string }
  }
}
