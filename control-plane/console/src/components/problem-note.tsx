import type { Problem } from '../api/types.ts'

/** A refused call, in the API's own words. */
export function ProblemNote({ problem }: { problem: Problem | undefined }) {
  if (!problem) return null
  return (
    <div className="problem" role="alert">
      <strong>{problem.title}</strong> {problem.detail}
      {problem.errors && (
        <ul>
          {problem.errors.map((error) => (
            <li key={`${error.path} ${error.message}`}>
              <code>{error.path}</code> {error.message}
            </li>
          ))}
        </ul>
      )}
      <small>
        {problem.code} {problem.request_id}
      </small>
    </div>
  )
}
