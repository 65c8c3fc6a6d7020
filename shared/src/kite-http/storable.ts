// The broker's JSON, with what no database stores as text taken out: NUL, and half surrogate pairs.

export function storable(value: unknown): unknown {
  if (typeof value === 'string') return clean(value)
  if (Array.isArray(value)) return value.map(storable)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [clean(key), storable(each)]))
  return value
}

function clean(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '')
}
