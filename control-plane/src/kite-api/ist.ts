import { brokerTime } from '@ticker/shared/domain'

/** An RFC 3339 time as the broker writes it, in India's and without a zone; null stays null. */
export const istOf = (time: string | null) => (time === null ? null : brokerTime(Date.parse(time)))
