// Every error a caller can meet: code, HTTP status, public words. The code is the contract; the words may improve.
// OpenAPI lists them by route, AsyncAPI by channel; a code that nothing can raise does not belong here.

export const ERROR_CODES = {
  malformed_json: { status: 400, title: 'The body is not valid JSON.' },
  invalid_request: { status: 400, title: 'The request does not fit its schema; see errors[].' },
  idempotency_key_missing: {
    status: 400,
    title:
      'This write reaches the broker: send an Idempotency-Key header (1-255 characters, unique per order).',
  },
  history_interval_unknown: {
    status: 400,
    title: 'The broker has no candles of that interval. Use 1m, 3m, 5m, 10m, 15m, 30m, 1h or 1d.',
  },
  unauthenticated: { status: 401, title: 'Send an API key: Authorization: Bearer key_….' },
  ticket_refused: {
    status: 401,
    title: 'Send a valid stream ticket: Authorization: Bearer <ticket of POST /v1/stream-tickets>.',
  },
  scope_missing: { status: 403, title: 'This API key lacks the scope that this route needs.' },
  account_not_allowed: { status: 403, title: 'This API key may not use that account.' },
  login_state_invalid: {
    status: 403,
    title: 'This login link was used, has expired, or was opened in another browser. Ask for a new one.',
  },
  login_user_mismatch: {
    status: 403,
    title: 'Another broker user logged in than the one this account belongs to.',
  },
  postback_forged: { status: 403, title: 'The checksum does not match.' },
  not_found: { status: 404, title: 'There is no such resource.' },
  account_not_found: { status: 404, title: 'There is no account of that id that this key may see.' },
  order_not_found: {
    status: 404,
    title: 'There is no order of that id on an account that this key may see.',
  },
  order_change_not_found: {
    status: 404,
    title: 'There is no cancel or modify of that id on an account that this key may see.',
  },
  sliced_order_not_found: {
    status: 404,
    title: 'There is no sliced order of that id on an account that this key may see.',
  },
  batch_not_found: {
    status: 404,
    title: 'There is no batch of that id on an account that this key may see.',
  },
  reconciliation_not_found: {
    status: 404,
    title: 'There is no reconciliation report of that id on an account that this key may see.',
  },
  gtt_not_found: { status: 404, title: 'There is no GTT of that id on an account that this key may see.' },
  account_write_not_found: {
    status: 404,
    title: 'There is no such write of that id on an account that this key may see.',
  },
  exit_not_found: {
    status: 404,
    title: 'There is no exit of that id on an account that this key may see.',
  },
  instrument_not_found: {
    status: 404,
    title: 'No instrument of that token or exchange:tradingsymbol in the current dump.',
  },
  option_chain_not_found: {
    status: 404,
    title: 'The current dump lists no live options of that underlying and expiry; see detail.',
  },
  webhook_not_found: { status: 404, title: 'There is no webhook of that id that this key may see.' },
  webhook_delivery_not_found: {
    status: 404,
    title: 'There is no delivery of that id to a webhook that this key may see.',
  },
  refresh_not_found: { status: 404, title: 'There is no instrument refresh of that id.' },
  history_load_not_found: { status: 404, title: 'You have no history load of that id.' },
  ladder_not_found: { status: 404, title: 'You have no strike ladder of that id.' },
  method_not_allowed: { status: 405, title: 'The resource does not take that method.' },
  account_exists: { status: 409, title: 'An account of that id, broker user or api_key exists already.' },
  account_in_use: {
    status: 409,
    title: 'The account cannot be deleted as it is; errors[] says what to do first. Nothing was changed.',
  },
  session_active: {
    status: 409,
    title:
      'The account is logged in. DELETE /v1/accounts/{id}/session first, then change its app or broker user.',
  },
  account_disabled: { status: 409, title: 'The account is disabled.' },
  market_data_not_enabled: {
    status: 409,
    title:
      'None of your accounts that this key may use is for market data. PATCH /v1/accounts/{id} {"market_data":true}, or create one.',
  },
  option_chain_not_streamed: {
    status: 409,
    title:
      'No account of yours streams any option of that expiry. Put a strike ladder, or subscribe its options.',
  },
  trading_not_enabled: {
    status: 409,
    title: 'The account is not for trading. PATCH /v1/accounts/{id} {"trading":true} makes it one.',
  },
  order_not_in_doubt: {
    status: 409,
    title: 'The order is not in doubt: only an UNKNOWN one can be released.',
  },
  order_may_still_appear: {
    status: 409,
    title:
      'The order may still appear at the broker: its book must have been read without it for 90 s. See detail.',
  },
  order_not_to_requeue: {
    status: 409,
    title: 'Only an order that did not reach the broker, or was released, can be placed anew.',
  },
  order_requeued: { status: 409, title: 'The order was placed anew before; see detail.' },
  order_repeated: {
    status: 409,
    title: 'An equal order of this API key is not settled yet: look in the order book before you repeat it.',
  },
  paper_not_configured: {
    status: 409,
    title: 'There is no paper broker: start one and set PAPER_API_ROOT and PAPER_LOGIN_ROOT (docs/paper.md).',
  },
  paper_has_no_market_data: {
    status: 409,
    title: 'A paper account has no market data of its own: it trades at the prices of your other accounts.',
  },
  session_inactive: {
    status: 409,
    title:
      'The account is not logged in today. POST /v1/accounts/{id}/login and open the URL in your browser.',
  },
  instrument_expired: {
    status: 410,
    title:
      'The contract has expired: the broker has no history of it any more, and not all of that range was kept here. See detail.',
  },
  body_too_large: { status: 413, title: 'The body is larger than 1 MB.' },
  unsupported_media_type: { status: 415, title: 'Send application/json.' },
  instrument_unknown: {
    status: 422,
    title: 'Some instruments are not in the current dump; nothing was changed. See errors[].',
  },
  underlying_unknown: {
    status: 422,
    title:
      'The current dump lists no options of that underlying that a ladder could follow; nothing was changed.',
  },
  subscription_limit: {
    status: 422,
    title: 'The subscriptions would exceed what your accounts can stream; nothing was changed.',
  },
  margin_insufficient: {
    status: 422,
    title: 'The funds of the account do not cover these orders; nothing was stored. See detail.',
  },
  idempotency_conflict: {
    status: 422,
    title: 'This Idempotency-Key was used with another body. Use a new key for a new order.',
  },
  history_range_in_future: {
    status: 422,
    title: 'The range lies in the future. Leave out `to` for everything up to now.',
  },
  history_range_too_long: {
    status: 422,
    title:
      'The range is longer than one request may ask for; see detail. Ask in parts, or for a longer interval.',
  },
  greeks_not_possible: {
    status: 422,
    title: 'Greeks are of options whose underlying, or its future, is listed. Ask without greeks.',
  },
  continuous_not_possible: {
    status: 422,
    title: 'Continuous candles are day candles (interval=1d) of futures on NFO and MCX.',
  },
  webhook_limit: { status: 422, title: 'Your owner has as many webhooks as it may; delete one first.' },
  order_invalid: { status: 422, title: 'The order would be refused; nothing was sent. See errors[].' },
  price_unknown: {
    status: 422,
    title:
      'Charges of a MARKET order need a last price, and none is live for you; see detail. Subscribe the instrument, or ask for a LIMIT order.',
  },
  gtt_not_active: { status: 409, title: 'The GTT is not active any more: see its status in detail.' },
  gtt_limit: { status: 422, title: 'The account has as many active GTTs as the broker allows (500).' },
  batch_limit: {
    status: 422,
    title: 'The account has as many live batches as it may (100): wait until one ends, or stop one.',
  },
  write_not_in_doubt: { status: 409, title: 'It is not in doubt: only what is UNKNOWN can be released.' },
  write_may_still_appear: {
    status: 409,
    title:
      'It was sent less than 90 s ago, or the broker was not read since: it may still appear. See detail.',
  },
  order_finished: {
    status: 409,
    title: 'The order is finished or never reached the broker: there is nothing to modify.',
  },
  order_ambiguous: {
    status: 409,
    title: "There is more than one broker order of that name; use the broker's order id of one, see detail.",
  },
  modification_limit: {
    status: 409,
    title: 'The broker takes 25 modifications of one order: cancel it and place it anew.',
  },
  order_gate_closed: { status: 409, title: 'Orders of this account are stopped; see detail for the reason.' },
  rate_limited: { status: 429, title: 'Too many requests; wait as Retry-After says.' },
  history_queue_full: {
    status: 429,
    title: 'Too many ranges are being fetched for you; wait, or cancel one: DELETE /v1/history-loads/{id}.',
  },
  broker_rate_limited: {
    status: 429,
    title:
      'The broker takes so many requests of an account a second and no more; ask again as Retry-After says.',
  },
  webhook_queue_full: {
    status: 429,
    title: 'As many deliveries wait for that webhook as may; see to its endpoint, or delete it.',
  },
  internal: { status: 500, title: 'Something failed on our side. The request id finds it in the logs.' },
  broker_refused: { status: 502, title: 'The broker refused; its words are in detail.' },
  broker_unreachable: { status: 502, title: 'The broker did not answer.' },
  database_unavailable: {
    status: 503,
    title:
      'The database does not answer. Try again; an order repeated with its Idempotency-Key happens once.',
  },
  data_plane_unreachable: {
    status: 503,
    title: 'The data plane does not answer right now. Stored changes still apply.',
  },
  history_loading: {
    status: 503,
    title: 'The range is still being fetched from the broker. Ask again as Retry-After says; see detail.',
  },
  stream_unavailable: {
    status: 503,
    title: 'This instance takes no more stream clients right now; try again as Retry-After says.',
  },
} as const satisfies Record<string, { status: number; title: string }>

export type ErrorCode = keyof typeof ERROR_CODES
