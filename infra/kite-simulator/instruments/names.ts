// Names the generator builds its market from: well-known tokens are the broker's real ones, prices and lots are
// of the right size (SIMULATOR-FIDELITY: January 2026 lot series), everything else is filled up with invented stocks.

/** [exchange token, symbol, base price, exchange] */
export const INDICES: readonly (readonly [number, string, number, string])[] = [
  [1001, 'NIFTY 50', 25_000, 'NSE'],
  [1003, 'NIFTY MIDCAP 100', 58_000, 'NSE'],
  [1007, 'NIFTY FIN SERVICE', 26_500, 'NSE'],
  [1016, 'NIFTY BANK', 56_000, 'NSE'],
  [1027, 'NIFTY PSU BANK', 7_500, 'NSE'],
  [1035, 'INDIA VIX', 13, 'NSE'],
  [1047, 'NIFTY 500', 23_000, 'NSE'],
  [1058, 'NIFTY NEXT 50', 68_000, 'NSE'],
  [1059, 'NIFTY PVT BANK', 27_000, 'NSE'],
  [1125, 'NIFTY MID SELECT', 13_000, 'NSE'],
  [1, 'SENSEX', 82_000, 'BSE'],
  [1072, 'BANKEX', 63_000, 'BSE'],
]

/** The `name` of a derivative is not the symbol of its index. */
export const INDEX_OF_NAME: Readonly<Record<string, string>> = {
  NIFTY: 'NSE:NIFTY 50',
  BANKNIFTY: 'NSE:NIFTY BANK',
  FINNIFTY: 'NSE:NIFTY FIN SERVICE',
  MIDCPNIFTY: 'NSE:NIFTY MID SELECT',
  NIFTYNXT50: 'NSE:NIFTY NEXT 50',
  SENSEX: 'BSE:SENSEX',
  BANKEX: 'BSE:BANKEX',
}

/** [NSE exchange token, symbol, name, base price, F&O lot or 0] */
export const STOCKS: readonly (readonly [number, string, string, number, number])[] = [
  [1594, 'INFY', 'INFOSYS', 1_500, 400],
  [2885, 'RELIANCE', 'RELIANCE INDUSTRIES', 1_400, 500],
  [1333, 'HDFCBANK', 'HDFC BANK', 980, 550],
  [11536, 'TCS', 'TATA CONSULTANCY SERV LT', 3_050, 175],
  [4963, 'ICICIBANK', 'ICICI BANK', 1_390, 700],
  [3045, 'SBIN', 'STATE BANK OF INDIA', 860, 750],
  [2031, 'M&M', 'MAHINDRA & MAHINDRA', 3_500, 200],
  [16669, 'BAJAJ-AUTO', 'BAJAJ AUTO', 8_700, 75],
  [1660, 'ITC', 'ITC', 410, 1_600],
  [11483, 'LT', 'LARSEN & TOUBRO', 3_700, 175],
  [5900, 'AXISBANK', 'AXIS BANK', 1_170, 625],
  [1922, 'KOTAKBANK', 'KOTAK MAHINDRA BANK', 2_150, 400],
  [10604, 'BHARTIARTL', 'BHARTI AIRTEL', 1_950, 475],
  [3351, 'SUNPHARMA', 'SUN PHARMACEUTICAL IND L', 1_650, 350],
  [3499, 'TATASTEEL', 'TATA STEEL', 170, 5_500],
  [14366, 'IDEA', 'VODAFONE IDEA', 8.5, 0],
  [13285, 'M&MFIN', 'M&M FIN. SERVICES', 290, 0],
  [18143, 'J&KBANK', 'JAMMU & KASHMIR BANK', 105, 0],
]

/** Index derivatives: [name, lot, strike step, strikes each side, weekly expiries, futures tick, exchange] */
export const INDEX_DERIVATIVES: readonly (readonly [
  string,
  number,
  number,
  number,
  number,
  number,
  string,
])[] = [
  ['NIFTY', 65, 50, 40, 4, 0.1, 'NFO'],
  ['BANKNIFTY', 30, 100, 40, 0, 0.2, 'NFO'],
  ['FINNIFTY', 60, 50, 30, 0, 0.1, 'NFO'],
  ['SENSEX', 20, 100, 40, 4, 0.2, 'BFO'],
]

/** Futures without a spot of their own: [name, base price, tick, exchange, segment code] */
export const OTHER_FUTURES: readonly (readonly [string, number, number, string, number])[] = [
  ['GOLD', 125_000, 1, 'MCX', 7],
  ['SILVER', 155_000, 1, 'MCX', 7],
  ['CRUDEOIL', 5_300, 1, 'MCX', 7],
  ['NATURALGAS', 390, 0.1, 'MCX', 7],
  ['USDINR', 89, 0.0025, 'CDS', 3],
  ['EURINR', 103, 0.0025, 'CDS', 3],
  ['USDINR', 89, 0.0025, 'BCD', 6],
]

export const SYLLABLES = [
  'AD',
  'BHA',
  'CHE',
  'DEEP',
  'GUJ',
  'HIN',
  'JAI',
  'KAL',
  'LAK',
  'MAH',
  'NAV',
  'OM',
  'PRA',
  'RAJ',
  'SHRI',
  'TRI',
  'UTT',
  'VIJ',
]
export const SUFFIXES = [
  'CHEM',
  'FIN',
  'INFRA',
  'TEX',
  'PHARM',
  'STEEL',
  'TECH',
  'POWER',
  '-RE',
  '&SONS',
  'AGRO',
  'AUTO',
]
