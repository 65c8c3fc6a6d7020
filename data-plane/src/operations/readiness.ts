// Fit for work or not, with the reasons. Each part of the process registers what would make it unfit.

export interface Readiness {
  /** The check answers a reason while its part is unfit, undefined while it is fit. */
  register(part: string, check: () => string | undefined): void
  reasons(): { part: string; reason: string }[]
}

export function createReadiness(): Readiness {
  const checks = new Map<string, () => string | undefined>()
  return {
    register(part, check) {
      checks.set(part, check)
    },
    reasons: () =>
      [...checks].flatMap(([part, check]) => {
        const reason = check()
        return reason === undefined ? [] : [{ part, reason }]
      }),
  }
}
