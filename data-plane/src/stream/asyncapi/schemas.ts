// The schemas of what goes over the streams, as JSON Schema (draft 7, which AsyncAPI 3 speaks), each under its name.
import {
  accountId,
  brokerOrder,
  candleInterval,
  chainRefusal,
  instrumentRef,
  intentState,
  legUnavailable,
  mode,
  optionChain,
  optionLeg,
  pricingModel,
} from '@ticker/shared/domain'
import { z } from 'zod'
import { kiteClientMessage } from '../../kite-compat/client-message.ts'
import * as server from '../messages.ts'
import {
  ping,
  resume,
  subscribe,
  subscribeCandles,
  subscribeChain,
  subscribeOrders,
  unsubscribe,
  unsubscribeCandles,
  unsubscribeChain,
  unsubscribeOrders,
} from '../protocol.ts'
import { sseOrdersQuery, sseQuery } from '../sse-request.ts'

export type JsonSchema = z.core.JSONSchema.BaseSchema
export type SchemaName = keyof typeof SENT_BY_CLIENT | keyof typeof SENT_BY_US

const SENT_BY_CLIENT = {
  InstrumentRef: instrumentRef,
  Mode: mode,
  Subscribe: subscribe,
  Unsubscribe: unsubscribe,
  Resume: resume,
  Ping: ping,
  PricingModel: pricingModel,
  SubscribeChain: subscribeChain,
  UnsubscribeChain: unsubscribeChain,
  CandleInterval: candleInterval,
  SubscribeCandles: subscribeCandles,
  UnsubscribeCandles: unsubscribeCandles,
  AccountId: accountId,
  SubscribeOrders: subscribeOrders,
  UnsubscribeOrders: unsubscribeOrders,
  SseQuery: sseQuery,
  SseOrdersQuery: sseOrdersQuery,
  KiteClientMessage: kiteClientMessage,
}
const SENT_BY_US = {
  Mode: mode,
  Tick: server.tick,
  InstrumentState: server.instrumentState,
  GapReason: server.gapReason,
  StreamErrorCode: server.streamErrorCode,
  Welcome: server.welcome,
  Subscribed: server.subscribed,
  Unsubscribed: server.unsubscribed,
  Snapshot: server.snapshot,
  Ticks: server.ticks,
  Gap: server.gap,
  State: server.state,
  PricingModel: pricingModel,
  LegUnavailable: legUnavailable,
  OptionLeg: optionLeg,
  OptionChain: optionChain,
  ChainRefusal: chainRefusal,
  ChainSubscribed: server.chainSubscribed,
  ChainUnsubscribed: server.chainUnsubscribed,
  Chain: server.chain,
  ChainUnavailable: server.chainUnavailable,
  CandleInterval: candleInterval,
  Candle: server.liveCandle,
  CandlesSubscribed: server.candlesSubscribed,
  CandlesUnsubscribed: server.candlesUnsubscribed,
  CandleSnapshot: server.candleSnapshot,
  Candles: server.candles,
  AccountId: accountId,
  IntentState: intentState,
  BrokerOrder: brokerOrder,
  OrdersSubscribed: server.ordersSubscribed,
  OrdersUnsubscribed: server.ordersUnsubscribed,
  OrderEvent: server.orderEvent,
  OrdersGap: server.ordersGap,
  OrdersState: server.ordersState,
  OrdersEnded: server.ordersEnded,
  Heartbeat: server.heartbeat,
  Pong: server.pong,
  Error: server.error,
  Close: server.close,
}

export const schemaRef = (name: SchemaName) => ({ $ref: `#/components/schemas/${name}` })

export function componentSchemas(): Record<string, JsonSchema> {
  return { ...generate(SENT_BY_CLIENT, 'input'), ...generate(SENT_BY_US, 'output') }
}

function generate(named: Record<string, z.ZodType>, io: 'input' | 'output'): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, {
    target: 'draft-07',
    io,
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => {
      // What we send may gain fields within ticker.v1; a client must not refuse them.
      if (io === 'output') delete jsonSchema.additionalProperties
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
      const { example, ...rest } = jsonSchema
      if (example === undefined) return
      delete jsonSchema.example
      Object.assign(jsonSchema, { ...rest, examples: [example] })
    },
  })
  return Object.fromEntries(Object.entries(schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema]))
}
