import { encodeFrame, encodePacket } from '@ticker/shared/kite-wire'

/** Frames of different full packets with depth, so that nothing is measured on one hot buffer. */
export function fullFrames(
  frames: number,
  packetsEach: number,
  instruments: 'same in each' | 'distinct' = 'same in each',
): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: frames }, (_, frame) =>
    Uint8Array.from(
      encodeFrame(
        Array.from({ length: packetsEach }, (_, packet) => {
          const salt = frame * packetsEach + packet
          const level = (side: number) => (place: number) => ({
            quantity: salt + place,
            price: 100 + side * place,
            orders: place + 1,
          })
          return encodePacket(
            {
              instrument_token: (1_000 + (instruments === 'distinct' ? salt : packet)) * 256 + 1,
              last_price: 100 + (salt % 9_000) / 20,
              volume_traded: salt * 10,
              ohlc: { open: 100, high: 600, low: 90, close: 101 },
              last_trade_time_s: 1_760_000_000 + salt,
              exchange_timestamp_s: 1_760_000_000 + salt,
              depth: { buy: [0, 1, 2, 3, 4].map(level(-1)), sell: [0, 1, 2, 3, 4].map(level(1)) },
            },
            'full',
          )
        }),
      ),
    ),
  )
}
