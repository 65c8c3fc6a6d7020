// A process of a bench that is asked over its IPC channel and gives one answer to each question.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { MALLOC_ENV, NODE_FLAGS } from '../docker/memory-settings.ts'
import { ROOT } from '../local/child.ts'

export interface Child {
  /** For what has no answer. */
  tell(message: object): void
  /** The next message it sends; throws when it ends before. */
  ask(message: object): Promise<unknown>
  /** A message it sends by itself. */
  said(): Promise<unknown>
  stop(): Promise<void>
}

/** `file` of infra/bench, with the memory settings of the data plane. */
export function startChild(file: string): Child {
  const child: ChildProcess = fork(join(ROOT, 'infra/bench', file), {
    execArgv: NODE_FLAGS,
    env: { ...process.env, ...MALLOC_ENV },
  })
  const exited = once(child, 'exit')
  const ended = exited.then(() => {
    throw new Error(`${file} ended`)
  })
  ended.catch(() => {})
  const said = async () => {
    const [answer] = await Promise.race([once(child, 'message'), ended])
    return answer
  }
  return {
    tell: (message) => child.send(message),
    async ask(message) {
      child.send(message)
      return said()
    },
    said,
    async stop() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
