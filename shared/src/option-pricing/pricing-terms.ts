// Rate and dividend yield of an underlying's options: its own, else those of `*`, else these.
import { z } from 'zod'

/** Fractions a year, continuous. */
export interface PricingTerms {
  rate: number
  dividendYield: number
}

/** Rate and dividend yield of options by underlying; `*`: of the others. */
export type OptionTerms = ReadonlyMap<string, Partial<PricingTerms>>

/** An assumption, and every chain says which it was computed with. */
export const DEFAULT_TERMS: PricingTerms = { rate: 0.065, dividendYield: 0 }

export function pricingTerms(configured: OptionTerms) {
  return (underlying: string): PricingTerms => {
    const [own, others] = [configured.get(underlying), configured.get('*')]
    return {
      rate: own?.rate ?? others?.rate ?? DEFAULT_TERMS.rate,
      dividendYield: own?.dividendYield ?? others?.dividendYield ?? DEFAULT_TERMS.dividendYield,
    }
  }
}

/** Of OPTION_TERMS, which both planes take. */
export const OPTION_TERMS_HELP =
  'must be JSON as {"*":{"rate":0.065},"NIFTY":{"dividend_yield":0.0125}}: fractions a year'
const yearly = z.number().min(-0.5).max(1).optional()
const optionTerms = z.record(z.string(), z.strictObject({ rate: yearly, dividend_yield: yearly }))

/** Undefined: not as OPTION_TERMS_HELP says. */
export function parseOptionTerms(text: string): OptionTerms | undefined {
  try {
    const terms = Object.entries(optionTerms.parse(JSON.parse(text)))
    return new Map(
      terms.map(([name, { rate, dividend_yield: dividendYield }]) => [name, { rate, dividendYield }]),
    )
  } catch {
    return undefined
  }
}
