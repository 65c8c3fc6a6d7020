// Brokerage, taxes and charges of a fill: rough, but of the right size, and of the right side of the trade.
import type { Instrument } from '../instruments/instrument-book.ts'
import type { Side } from './order.ts'

const BROKERAGE_MAX = 20
const BROKERAGE_SHARE = 0.0003
const SEBI_SHARE = 0.000001
const GST_SHARE = 0.18

/** Shares of the turnover; the tax of derivatives and of intraday is the seller's. */
function sharesOf(instrument: Instrument, product: string, side: Side) {
  const selling = side === 'SELL' ? 1 : 0
  const kind = instrument.instrument_type
  if (kind === 'CE' || kind === 'PE') return { tax: 0.001 * selling, exchange: 0.0003503, stamp: 0.00003 }
  if (kind === 'FUT') return { tax: 0.0002 * selling, exchange: 0.0000173, stamp: 0.00002 }
  const intraday = product === 'MIS'
  return {
    tax: intraday ? 0.00025 * selling : 0.001,
    exchange: 0.0000297,
    stamp: intraday ? 0.00003 : 0.00015,
  }
}

export function chargesOf(instrument: Instrument, product: string, side: Side, turnover: number) {
  const { tax, exchange, stamp } = sharesOf(instrument, product, side)
  const isDelivery = instrument.expiry === '' && product !== 'MIS'
  const brokerage = isDelivery ? 0 : Math.min(BROKERAGE_MAX, turnover * BROKERAGE_SHARE)
  const transaction_tax = turnover * tax
  const exchange_turnover_charge = turnover * exchange
  const sebi_turnover_charge = turnover * SEBI_SHARE
  const stamp_duty = side === 'BUY' ? turnover * stamp : 0
  const igst = (brokerage + exchange_turnover_charge + sebi_turnover_charge) * GST_SHARE
  return {
    transaction_tax,
    transaction_tax_type: instrument.exchange === 'MCX' ? 'ctt' : 'stt',
    exchange_turnover_charge,
    sebi_turnover_charge,
    brokerage,
    stamp_duty,
    gst: { igst, cgst: 0, sgst: 0, total: igst },
    total: transaction_tax + exchange_turnover_charge + sebi_turnover_charge + brokerage + stamp_duty + igst,
  }
}

export const NO_CHARGES = {
  ...{ transaction_tax: 0, transaction_tax_type: '', exchange_turnover_charge: 0, sebi_turnover_charge: 0 },
  ...{ brokerage: 0, stamp_duty: 0, gst: { igst: 0, cgst: 0, sgst: 0, total: 0 }, total: 0 },
}
