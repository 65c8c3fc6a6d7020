export { type BrokerTimes, brokerTimesOf } from './broker-times.ts'
export { createMarketCalendar, type MarketCalendar, type PhaseAt, type TradingDay } from './calendar.ts'
export { CALENDAR_DATA, CALENDAR_EXCHANGES, type CalendarData, type Phase } from './calendar-data.ts'
export { STORED_CALENDAR_SQL, type StoredCalendar, storedCalendar, withStored } from './stored-days.ts'
