// One POST to an address that somebody else chose. The address is checked in the socket's own lookup, so that a name that
// resolves otherwise a moment later leads nowhere; redirects are not followed; of the answer only the status counts.
import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import { request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isPublicAddress } from './address.ts'

export type Posted =
  | { ok: true; status: number }
  /** `error`: for whoever made the webhook. */
  | { ok: false; status: number | null; error: string }

export type Post = (
  url: URL,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
) => Promise<Posted>

type Resolve = (host: string, done: (error: Error | null, addresses: LookupAddress[]) => void) => void

class AddressRefused extends Error {}

const REFUSED = 'its host leads to an address that is not public'
/** Knows /etc/hosts. */
const systemResolve: Resolve = (host, done) => systemLookup(host, { all: true }, done)

/**
 * Asks the name servers from the event loop. The system's own lookup takes one of the few threads that order writes look up the
 * broker with, for as long as a name server that somebody else chose keeps silent.
 */
function networkResolve(host: string, done: Parameters<Resolve>[1]) {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  void Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]).then(([four, six]) => {
    const found = [
      ...(four.status === 'fulfilled' ? four.value.map((address) => ({ address, family: 4 })) : []),
      ...(six.status === 'fulfilled' ? six.value.map((address) => ({ address, family: 6 })) : []),
    ]
    done(found.length === 0 && four.status === 'rejected' ? four.reason : null, found)
  })
}

export function createPost(deps: {
  timeoutMs: number
  /** Plain http and addresses that are not public: for a simulated deployment. */
  privateTargets: 'allow' | 'refuse'
  resolve?: Resolve
}): Post {
  const { resolve = deps.privateTargets === 'allow' ? systemResolve : networkResolve } = deps
  const isAllowed = (address: string) => deps.privateTargets === 'allow' || isPublicAddress(address)

  const lookup: LookupFunction = (host, options, done) =>
    resolve(host, (error, addresses) => {
      const [first] = addresses ?? []
      if (error || !first) return done(error ?? new Error('no address'), [])
      if (!addresses.every(({ address }) => isAllowed(address))) return done(new AddressRefused(REFUSED), [])
      if (options.all) done(null, addresses)
      else done(null, first.address, first.family)
    })

  return (url, headers, body, signal) => {
    const host = url.hostname.replace(/^\[|\]$/g, '')
    if (url.protocol !== 'https:' && deps.privateTargets === 'refuse')
      return Promise.resolve({ ok: false, status: null, error: 'it is not https' })
    // An address in the URL itself is not looked up.
    if (isIP(host) !== 0 && !isAllowed(host))
      return Promise.resolve({ ok: false, status: null, error: REFUSED })
    const late = AbortSignal.timeout(deps.timeoutMs)
    const options: RequestOptions = {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
      },
      lookup,
      agent: false,
      signal: AbortSignal.any([signal, late]),
    }
    return new Promise((settle) => {
      const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, (response) => {
        const status = response.statusCode ?? 0
        // What it says may be endless.
        response.destroy()
        if (status >= 200 && status < 300) return settle({ ok: true, status })
        const redirects = status >= 300 && status < 400
        settle({
          ok: false,
          status,
          error: redirects ? 'it redirects, which is not followed' : `it answered ${status}`,
        })
      })
      request.on('error', (error) => settle({ ok: false, status: null, error: wordsOf(error, late.aborted) }))
      request.on('upgrade', (response, socket) => {
        socket.destroy()
        const status = response.statusCode ?? 0
        settle({ ok: false, status, error: `it answered ${status}` })
      })
      // Whatever else ends it without an answer or an error; settling again changes nothing.
      request.on('close', () =>
        settle({ ok: false, status: null, error: 'the connection ended without an answer' }),
      )
      request.end(body)
    })
  }

  function wordsOf(error: Error, isLate: boolean): string {
    if (isLate) return `no answer within ${deps.timeoutMs / 1_000} s`
    if (error instanceof AddressRefused) return REFUSED
    const code = 'code' in error && typeof error.code === 'string' ? error.code : 'no reason given'
    return `no connection (${code})`
  }
}
