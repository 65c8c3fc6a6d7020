export { createMarketCalendar, type MarketCalendar, type PhaseAt } from './calendar.ts'
export { CALENDAR_DATA, type CalendarData, type Phase } from './calendar-data.ts'
