// Questions that wait for their answers: in turn by owner, so that a flood of one owner's delays nobody else's. Bounded for
// each owner and in all; beyond, a question is dropped, and whoever asked is told to come again.
import type { Question } from '@ticker/shared/commands'

export const QUESTIONS_PER_OWNER_MAX = 100
export const QUESTIONS_MAX = 2_000

export interface FairQuestions {
  /** False: too many of that owner, or in all. */
  push(question: Question): boolean
  /** The oldest of the owner whose turn it is. */
  next(): Question | undefined
  size(): number
}

export function createFairQuestions(): FairQuestions {
  /** Owners with questions, in the order of their turns. */
  const queues = new Map<string, Question[]>()
  let size = 0

  return {
    push(question) {
      const owner = ownerOf(question)
      const queue = queues.get(owner) ?? []
      if (size >= QUESTIONS_MAX || queue.length >= QUESTIONS_PER_OWNER_MAX) return false
      queue.push(question)
      queues.set(owner, queue)
      size += 1
      return true
    },
    next() {
      const [turn] = queues
      if (!turn) return undefined
      const [owner, queue] = turn
      const question = queue.shift()
      // Their next turn comes after everybody else's.
      queues.delete(owner)
      if (queue.length > 0) queues.set(owner, queue)
      if (question) size -= 1
      return question
    },
    size: () => size,
  }
}

/** What is of the instance itself, people who watch it ask. */
function ownerOf({ params }: Question): string {
  return 'owner' in params ? params.owner : ''
}
