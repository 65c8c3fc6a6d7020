// How V8 and the C library keep the data plane's memory. What it allocates for long is little and known at the start, what
// it allocates for short is little a tick; by their defaults both would instead keep hundreds of megabytes of the start's
// garbage for hours. The Dockerfile's ENV and CMD hold the same (smoke.ts compares); `pnpm dev`, tests and benches use it.

export const NODE_FLAGS = ['--max-semi-space-size=4', '--heap-growing-percent=15']

/**
 * Of glibc. Large blocks come from the system and go back to it: once one was freed it would from then on cut even larger
 * ones from a heap that cannot shrink. And two such heaps instead of one for each thread, of up to eight a core.
 */
export const MALLOC_ENV = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' }
