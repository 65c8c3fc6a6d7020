/** Whether the URL is of the broker itself: what must be anybody else's is refused by it. */
export function isKiteHost(url: string): boolean {
  return /(^|\.)(kite\.trade|zerodha\.com)\.?$/i.test(new URL(url).hostname)
}
