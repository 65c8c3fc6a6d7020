import { type FormEvent, useState } from 'react'
import { createApi } from '../api/client.ts'
import type { Problem } from '../api/types.ts'
import { ProblemNote } from '../components/problem-note.tsx'
import { asProblem } from '../components/use-poll.ts'

export function SignIn({ onKey }: { onKey: (key: string) => void }) {
  const [problem, setProblem] = useState<Problem>()

  async function check(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const key = String(new FormData(event.currentTarget).get('key') ?? '').trim()
    try {
      await createApi(key, () => {}).get('/v1/fleet')
      onKey(key)
    } catch (error) {
      // A key without fleet:read is a key all the same.
      const said = asProblem(error)
      if (said.code === 'scope_missing') onKey(key)
      else setProblem(said)
    }
  }

  return (
    <main className="sign-in">
      <h1>Ticker</h1>
      <form onSubmit={check}>
        <label>
          API key
          <input name="key" type="password" autoComplete="off" required placeholder="key_…" />
        </label>
        <button type="submit">Open</button>
      </form>
      <ProblemNote problem={problem} />
      <p className="muted">
        The key stays in this tab. <code>npx pnpm dev</code> prints one; <code>create-api-key</code> of the
        data plane makes the first of a deployment.
      </p>
    </main>
  )
}
