// The broker's binary tick protocol: tokens, packet layouts, reader, writer, and the header of published frames.
// Pure and portable (Node, workerd, browsers): Uint8Array and DataView only.
export * from './layouts.ts'
export * from './published-frame.ts'
export * from './reader.ts'
export * from './segments.ts'
export * from './tick.ts'
export * from './writer.ts'
