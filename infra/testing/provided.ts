// What the global setup gives every test of the `db` project; importing infra/testing brings the types along.
declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string
    redisUrl: string
  }
}

export {}
