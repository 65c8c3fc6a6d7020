// What an option is worth, and from its price its volatility and greeks. Pure: the same for the last tick and for a candle
// of last month.
export { type ImpliedGreeks, impliedGreeks } from './implied-greeks.ts'
export { type ImpliedVolatility, impliedVolatility, type NoVolatility } from './implied-volatility.ts'
export {
  type Contract,
  DAYS_A_YEAR,
  discountOf,
  forwardOf,
  type Greeks,
  greeksOf,
  type Market,
  optionValue,
  type PricingModel,
} from './option-value.ts'
export {
  DEFAULT_TERMS,
  OPTION_TERMS_HELP,
  type OptionTerms,
  type PricingTerms,
  parseOptionTerms,
  pricingTerms,
} from './pricing-terms.ts'
