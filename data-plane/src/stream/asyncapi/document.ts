// The AsyncAPI document of the stream port, generated: messages from the schemas that type and test them, numbers from
// the bounds that are enforced. Served at /asyncapi.json; docs/asyncapi.json is a copy that a test keeps the same.
import { ERROR_CODES, type ErrorCode } from '@ticker/shared/domain'
import { CANDLE_BOUNDS } from '../../candles/bounds.ts'
import { CHAINS_PER_CLIENT_MAX } from '../../option-chain/chain-stream.ts'
import { ORDER_STREAM_BOUNDS } from '../../order-stream/bounds.ts'
import { VERSION } from '../../version.ts'
import { HEARTBEAT_S, RESUME_WINDOW_MS, STREAM_BOUNDS } from '../bounds.ts'
import { CLOSE, SUBPROTOCOLS, TICKET_PREFIX } from '../protocol.ts'
import { STREAM_PATH } from '../server.ts'
import { SSE_ORDERS_PATH, SSE_PATH } from '../sse-request.ts'
import { CLIENT_MESSAGES, componentMessages, SERVER_MESSAGES } from './messages.ts'
import { componentSchemas, schemaRef } from './schemas.ts'

type Ref = { $ref: string }
type Channel = 'stream' | 'sse' | 'orders' | 'kite'

const ref = (path: string): Ref => ({ $ref: `#/${path}` })
const refs = (prefix: string, names: readonly string[]) => names.map((name) => ref(`${prefix}/${name}`))
const messagesOf = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, ref(`components/messages/${name}`)]))
const secured = (scheme: string) => ({ security: [ref(`components/securitySchemes/${scheme}`)] })

const CLIENT_WORDS = Object.keys(CLIENT_MESSAGES)
/** They answer what only a WebSocket can say. */
const ANSWERS = [
  'unsubscribed',
  'pong',
  'error',
  'chain_subscribed',
  'chain_unsubscribed',
  'chain',
  'chain_unavailable',
  'candles_unsubscribed',
]
const isOfOrders = (word: string) => /^orders?_/.test(word)
const SSE_WORDS = Object.keys(SERVER_MESSAGES).filter((word) => !ANSWERS.includes(word) && !isOfOrders(word))
const SSE_ORDERS_WORDS = [
  'welcome',
  ...Object.keys(SERVER_MESSAGES).filter((word) => isOfOrders(word) && word !== 'orders_unsubscribed'),
  ...['heartbeat', 'error', 'close'],
]
const SOCKET_WORDS = Object.keys(SERVER_MESSAGES).filter((word) => word !== 'close')
const NOT_TICKS = SOCKET_WORDS.filter((word) => word !== 'ticks' && word !== 'snapshot')
const SSE_REFUSALS: ErrorCode[] = [
  'invalid_request',
  'ticket_refused',
  'method_not_allowed',
  'rate_limited',
  'stream_unavailable',
]
const count = (value: number) => value.toLocaleString('en')
const kB = (bytes: number) => `${count(bytes / 1024)} kB`

const {
  clientsMax,
  clientsPerKeyMax,
  instrumentsPerClientMax,
  conflateAboveBytes,
  closeAboveBytes,
  pongTimeoutMs,
} = STREAM_BOUNDS
const LIMITS = `${count(instrumentsPerClientMax)} instruments and ${CHAINS_PER_CLIENT_MAX} option chains and ${count(CANDLE_BOUNDS.perClientMax)} candles a client, ${count(clientsMax)} clients, ${count(clientsPerKeyMax)} of one API key. A client that stops
reading is not fed above ${kB(conflateAboveBytes)}, and closed at ${kB(closeAboveBytes)} or after ${pongTimeoutMs / 1000} s.`
const CLOSE_CODES = `Close codes: ${CLOSE.restarting} restarting (come back), ${CLOSE.tooSlow} too slow, ${CLOSE.policy} policy,
${CLOSE.ticketExpired} ticket expired, ${CLOSE.keyRevoked} key revoked.`

function send(channel: Channel, names: readonly string[], summary: string) {
  return {
    action: 'send',
    channel: ref(`channels/${channel}`),
    summary,
    messages: refs(`channels/${channel}/messages`, names),
  }
}

function receive(channel: Channel, name: string, answers: readonly string[] = []) {
  const messages = refs(`channels/${channel}/messages`, answers)
  return {
    action: 'receive',
    channel: ref(`channels/${channel}`),
    messages: refs(`channels/${channel}/messages`, [name]),
    ...(answers.length > 0 ? { reply: { channel: ref(`channels/${channel}`), messages } } : {}),
  }
}

export function asyncApiDocument() {
  const host = { host: '{host}', variables: { host: { default: '127.0.0.1:8080' } } }
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Ticker Service streams',
      version: VERSION,
      description:
        'What the data plane sends and receives; `send` is what it sends. Additive within `ticker.v1`: ignore what you do not know.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      webSocket: { ...host, protocol: 'ws', description: 'wss behind your proxy' },
      http: { ...host, protocol: 'http', description: 'https behind your proxy' },
    },
    channels: channels(),
    operations: operations(),
    components: {
      schemas: componentSchemas(),
      messages: componentMessages(),
      securitySchemes: {
        ticketSubprotocol: {
          type: 'httpApiKey',
          in: 'header',
          name: 'Sec-WebSocket-Protocol',
          description: `\`${TICKET_PREFIX}<ticket>\` of POST /v1/stream-tickets, beside the subprotocol. A bad one is HTTP 401 before the upgrade.`,
        },
        ticketBearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'The ticket of POST /v1/stream-tickets',
        },
        kiteToken: {
          type: 'httpApiKey',
          in: 'query',
          name: 'access_token',
          description: 'Of POST /v1/kite-tokens, with `api_key`: your account id. A bad one is HTTP 403.',
        },
      },
    },
  }
}

function channels() {
  const [webSocket, http] = refs('servers', ['webSocket', 'http'])
  const subprotocols = Object.keys(SUBPROTOCOLS)
  return {
    stream: {
      address: STREAM_PATH,
      title: 'WebSocket',
      description: `JSON text frames; in \`ticker.v1.binary\`, ticks and snapshots are binary frames. ${LIMITS} ${CLOSE_CODES}\n\nA resume holds for what is subscribed within ${RESUME_WINDOW_MS / 1000} s.`,
      servers: [webSocket],
      messages: messagesOf([...CLIENT_WORDS, ...SOCKET_WORDS, 'tickFrame']),
      bindings: {
        ws: {
          method: 'GET',
          headers: {
            type: 'object',
            required: ['Sec-WebSocket-Protocol'],
            properties: {
              'Sec-WebSocket-Protocol': {
                type: 'string',
                description: `${subprotocols.join(' or ')}, and ${TICKET_PREFIX}<ticket>`,
              },
            },
          },
          bindingVersion: '0.1.0',
        },
      },
    },
    sse: {
      address: SSE_PATH,
      title: 'Server-sent events',
      description: `The messages of the JSON WebSocket: \`event\` is the \`op\`, \`data\` the message. One subscription a connection, in the query. \`id\` is \`<stream_id>:<seq>\`; sent back as \`Last-Event-ID\`, the stream goes on after it, as by \`resume\`. The last event is \`close\`. ${LIMITS} ${CLOSE_CODES}\n\nRefused with application/problem+json: ${refusals()}.`,
      servers: [http],
      messages: messagesOf(SSE_WORDS),
    },
    orders: {
      address: SSE_ORDERS_PATH,
      title: 'Server-sent events of orders',
      description: `What \`subscribe_orders\` brings, as events. \`id\` is \`<account>:<seq>\` of each account between commas; sent back as \`Last-Event-ID\`, the stream goes on after it. Up to ${count(ORDER_STREAM_BOUNDS.accountsPerClientMax)} accounts. ${CLOSE_CODES}\n\nRefused with application/problem+json: ${refusals(['scope_missing'])}.`,
      servers: [http],
      messages: messagesOf(SSE_ORDERS_WORDS),
    },
    kite: {
      address: '/',
      title: 'Kite-compatible WebSocket',
      description:
        'The broker’s own protocol for unmodified Kite clients, also at `/kite/ws` and `/kite/ws/`. Its packets are documented by the broker.',
      servers: [webSocket],
      messages: messagesOf(['kiteClientMessage', 'kiteFrame', 'kiteText']),
    },
  }
}

function refusals(more: readonly ErrorCode[] = []): string {
  return [...SSE_REFUSALS, ...more].map((code) => `${ERROR_CODES[code].status} \`${code}\``).join(', ')
}

function operations() {
  const subprotocol = secured('ticketSubprotocol')
  return {
    subscribe: { ...receive('stream', 'subscribe', ['subscribed', 'error']), ...subprotocol },
    unsubscribe: { ...receive('stream', 'unsubscribe', ['unsubscribed', 'error']), ...subprotocol },
    resume: { ...receive('stream', 'resume'), ...subprotocol },
    ping: { ...receive('stream', 'ping', ['pong']), ...subprotocol },
    subscribeChain: {
      ...receive('stream', 'subscribe_chain', ['chain_subscribed', 'error']),
      ...subprotocol,
    },
    unsubscribeChain: {
      ...receive('stream', 'unsubscribe_chain', ['chain_unsubscribed', 'error']),
      ...subprotocol,
    },
    subscribeCandles: {
      ...receive('stream', 'subscribe_candles', ['candles_subscribed', 'error']),
      ...subprotocol,
    },
    unsubscribeCandles: {
      ...receive('stream', 'unsubscribe_candles', ['candles_unsubscribed', 'error']),
      ...subprotocol,
    },
    subscribeOrders: {
      ...receive('stream', 'subscribe_orders', ['orders_subscribed', 'error']),
      ...subprotocol,
    },
    unsubscribeOrders: {
      ...receive('stream', 'unsubscribe_orders', ['orders_unsubscribed', 'error']),
      ...subprotocol,
    },
    streamJson: { ...send('stream', SOCKET_WORDS, 'Subprotocol ticker.v1'), ...subprotocol },
    streamBinary: {
      ...send('stream', ['tickFrame', ...NOT_TICKS], 'Subprotocol ticker.v1.binary'),
      ...subprotocol,
    },
    streamEvents: {
      ...send('sse', SSE_WORDS, `A heartbeat every ${HEARTBEAT_S} s, as in the WebSocket`),
      ...secured('ticketBearer'),
      bindings: {
        http: { method: 'GET', query: schemaRef('SseQuery'), bindingVersion: '0.3.0' },
      },
    },
    orderEvents: {
      ...send('orders', SSE_ORDERS_WORDS, `A heartbeat every ${HEARTBEAT_S} s, as in the WebSocket`),
      ...secured('ticketBearer'),
      bindings: {
        http: { method: 'GET', query: schemaRef('SseOrdersQuery'), bindingVersion: '0.3.0' },
      },
    },
    kiteReceive: { ...receive('kite', 'kiteClientMessage'), ...secured('kiteToken') },
    kiteSend: {
      ...send('kite', ['kiteFrame', 'kiteText'], 'As the broker sends it'),
      ...secured('kiteToken'),
    },
  }
}
