// The fields of one leg of a batch, and what a form with such legs says.

const named = (index: number, field: string) => `leg${index}-${field}`

export function LegInputs({ index }: { index: number }) {
  const name = (field: string) => named(index, field)
  return (
    <fieldset className="row">
      <legend>Leg {index + 1}</legend>
      <select name={name('transaction_type')} aria-label="Side" defaultValue={index === 0 ? 'BUY' : 'SELL'}>
        <option>BUY</option>
        <option>SELL</option>
      </select>
      <input
        name={name('quantity')}
        aria-label="Quantity"
        type="number"
        min={1}
        required
        placeholder="quantity"
      />
      <input name={name('exchange')} aria-label="Exchange" required size={4} defaultValue="NFO" />
      <input name={name('tradingsymbol')} aria-label="Symbol" required size={22} placeholder="symbol" />
      <input name={name('price')} aria-label="Price" type="number" step="any" placeholder="at the market" />
    </fieldset>
  )
}

/** A leg without a price is a MARKET order; account and product are the form's. */
export function legsOf(fields: FormData, count: number) {
  const said = (name: string) => String(fields.get(name) ?? '').trim()
  return Array.from({ length: count }, (_, index) => {
    const field = (name: string) => said(named(index, name))
    const price = field('price')
    return {
      ...{ account_id: said('account_id'), product: said('product'), exchange: field('exchange') },
      ...{ tradingsymbol: field('tradingsymbol'), transaction_type: field('transaction_type') },
      quantity: Number(field('quantity')),
      ...(price === '' ? { order_type: 'MARKET' } : { order_type: 'LIMIT', price: Number(price) }),
    }
  })
}
