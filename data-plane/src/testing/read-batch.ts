// What a flush to Redis says, taken apart as Redis does.
export interface PublishedMessage {
  channel: string
  payload: Buffer
}

export function readBatch(batch: Buffer): PublishedMessage[] {
  const messages: PublishedMessage[] = []
  for (let at = 0; at < batch.length; ) {
    const payloadAt = at + 2 + batch.readUInt16BE(at) + 4
    const end = payloadAt + batch.readUInt32BE(payloadAt - 4)
    messages.push({
      channel: batch.toString('latin1', at + 2, payloadAt - 4),
      payload: batch.subarray(payloadAt, end),
    })
    at = end
  }
  return messages
}
