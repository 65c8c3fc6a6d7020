// Answers of a moment ago, per isolate: whoever polls, or asks in the same words as others of the owner, costs the data plane
// about one question a second; those that ask at the same moment are not joined. Bounded: an answer of 1,000 quotes is half a megabyte.

export const ANSWER_AGE_MS_MAX = 1_000
const ANSWERS_MAX = 20

export interface RecentAnswers<T> {
  get(key: string): T | undefined
  put(key: string, answer: T): void
}

export function recentAnswers<T>(nowMs: () => number): RecentAnswers<T> {
  const answers = new Map<string, { answer: T; untilMs: number }>()
  return {
    get(key) {
      const known = answers.get(key)
      if (known && known.untilMs > nowMs()) return known.answer
      answers.delete(key)
      return undefined
    },
    put(key, answer) {
      answers.delete(key)
      // A Map keeps insertion order: the first is the oldest.
      const [oldest] = answers.keys()
      if (answers.size >= ANSWERS_MAX && oldest !== undefined) answers.delete(oldest)
      answers.set(key, { answer, untilMs: nowMs() + ANSWER_AGE_MS_MAX })
    },
  }
}
