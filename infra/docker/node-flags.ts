// How V8 keeps the data plane's memory. What it allocates for long is little and known at the start, what it allocates for
// short is little a tick; V8's defaults would instead keep some 250 MB of the start's garbage for hours. The Dockerfile's
// CMD holds the same (smoke.ts compares), `pnpm dev`, tests and benches run with it.

export const NODE_FLAGS = ['--max-semi-space-size=4', '--heap-growing-percent=30']
