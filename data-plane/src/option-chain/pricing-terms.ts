// Rate and dividend yield of an underlying's options: its own, else those of `*`, else these.
import type { OptionTerms } from '../config.ts'
import type { PricingTerms } from './underlying-market.ts'

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
