// What a fresh system is given so that it can be used at once: an API key, a demo account that logs in through the
// real login flow at the simulator, a handful of subscriptions, a Kite token.
import { insertApiKey } from '@ticker/data-plane/create-api-key'
import { SCOPES } from '@ticker/shared/domain'
import pg from 'pg'
import { z } from 'zod'
import { PAPER_ACCOUNT, PAPER_USER } from './paper-broker.ts'
import type { DEMO_USERS, LocalSystem } from './system.ts'

export const DEMO_ACCOUNT = 'demo'
export const DEMO_INSTRUMENTS = [
  'NSE:NIFTY 50',
  'NSE:NIFTY BANK',
  'NSE:INFY',
  'NSE:RELIANCE',
  'NSE:TCS',
  'NSE:SBIN',
]

const problem = z.object({ code: z.string(), title: z.string().optional(), detail: z.string().nullish() })

/** Calls the control plane as a user would. */
export class ApiClient {
  private readonly root: string
  private readonly key: string

  constructor(root: string, key: string) {
    this.root = root
    this.key = key
  }

  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return fetch(`${this.root}${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${this.key}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
      redirect: 'manual',
    })
  }

  /** The parsed body of a success; throws with the problem's words otherwise. */
  async call<T extends z.ZodType>(
    schema: T,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<z.output<T>> {
    const response = await this.request(method, path, body, headers)
    const answer: unknown = await response.json()
    if (!response.ok) {
      const said = problem.safeParse(answer)
      throw new Error(
        `${method} ${path}: ${response.status} ${said.success ? `${said.data.code} ${said.data.detail ?? said.data.title ?? ''}` : ''}`,
      )
    }
    return schema.parse(answer)
  }
}

export async function createLocalApiKey(databaseUrl: string, owner: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    return await insertApiKey(client, { owner, name, scopes: SCOPES })
  } finally {
    await client.end()
  }
}

/** Goes through the login as a browser does: our link, the broker's form, the redirect back. */
export async function logIn(api: ApiClient, accountId: string, userId: string): Promise<void> {
  const link = await api.call(z.object({ login_url: z.string() }), 'POST', `/v1/accounts/${accountId}/login`)
  const opened = await fetch(link.login_url, { redirect: 'manual' })
  const cookie = opened.headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ')
  const form = await fetch(locationOf(opened, link.login_url))
  const html = await form.text()
  const action = new URL(formAction(html), form.url).toString()
  const fields = { ...hiddenFields(html), user_id: userId, password: 'any', totp: '123456' }
  const submitted = await fetch(action, {
    method: 'POST',
    body: new URLSearchParams(fields),
    redirect: 'manual',
  })
  const back = await fetch(locationOf(submitted, action), { headers: { Cookie: cookie }, redirect: 'manual' })
  if (!back.ok) throw new Error(`login of ${accountId} failed: ${back.status}`)
}

function locationOf(response: Response, from: string): string {
  const location = response.headers.get('location')
  if (!location) throw new Error(`no redirect but ${response.status} from ${new URL(from).pathname}`)
  return new URL(location, from).toString()
}

function formAction(html: string): string {
  return unescapeHtml(/<form[^>]*\baction="([^"]*)"/.exec(html)?.[1] ?? '')
}

function hiddenFields(html: string): Record<string, string> {
  const inputs = html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)
  return Object.fromEntries([...inputs].map(([, name = '', value = '']) => [name, unescapeHtml(value)]))
}

function unescapeHtml(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}

export async function createAccount(
  api: ApiClient,
  id: string,
  user: Record<'user_id' | 'user_name' | 'api_key' | 'api_secret', string>,
  paper = false,
): Promise<void> {
  const response = await api.request('POST', '/v1/accounts', {
    id,
    name: user.user_name,
    broker_user_id: user.user_id,
    api_key: user.api_key,
    api_secret: user.api_secret,
    paper,
  })
  if (!response.ok && response.status !== 409)
    throw new Error(`account ${id} not created: ${response.status} ${await response.text()}`)
}

/** Waits for a condition with a deadline; the error names it and what the last try threw. */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    let cause: unknown
    try {
      if (await condition()) return
    } catch (error) {
      cause = error
    }
    if (Date.now() > deadline) {
      const reason = cause instanceof Error ? `: ${cause.message}` : ''
      throw new Error(`${what}: not within ${timeoutMs / 1000} s${reason}`, { cause })
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export async function instrumentsLoaded(api: ApiClient): Promise<void> {
  const fleet = z.object({ instruments: z.object({ count: z.number() }) })
  await until(
    'instruments loaded',
    async () => (await api.call(fleet, 'GET', '/v1/fleet')).instruments.count > 0,
    60_000,
  )
}

export async function seed(
  system: LocalSystem,
  user: (typeof DEMO_USERS)[number],
  knownKey: string | undefined,
): Promise<string> {
  const key = knownKey ?? (await createLocalApiKey(system.databaseUrl, 'desk', 'local development'))
  const api = new ApiClient(system.controlPlaneUrl, key)
  await createAccount(api, DEMO_ACCOUNT, user)
  await logIn(api, DEMO_ACCOUNT, user.user_id)
  await instrumentsLoaded(api)
  return key
}

/** The paper broker at the demo account's prices, and an account that is logged in there. */
export async function seedPaper(system: LocalSystem, key: string, onBack?: () => void): Promise<void> {
  await system.startPaper(key, DEMO_ACCOUNT, onBack)
  const api = new ApiClient(system.controlPlaneUrl, key)
  await createAccount(api, PAPER_ACCOUNT, PAPER_USER, true)
  await logIn(api, PAPER_ACCOUNT, PAPER_USER.user_id)
}
