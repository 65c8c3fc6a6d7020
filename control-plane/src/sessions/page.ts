// The one page a browser sees from us during a broker login: self-contained, no script, never cached.
// The nonce is the one that this answer's Content-Security-Policy allows styles by.
import { ERROR_CODES } from '@ticker/shared/domain'
import { html } from 'hono/html'
import type { Refusal } from '../http/problem.ts'
import type { FinishedLogin } from './finish-login.ts'

export function loggedInPage(nonce: string, login: FinishedLogin): Promise<Response> {
  return page(
    nonce,
    200,
    'Logged in',
    `${login.user_name} is logged in on account ${login.account_id}. You may close this window.`,
  )
}

export function refusalPage(nonce: string, refusal: Refusal, requestId: string): Promise<Response> {
  const { status, title } = ERROR_CODES[refusal.code]
  return page(
    nonce,
    status,
    'Not logged in',
    refusal.detail ? `${title} ${refusal.detail}` : title,
    `Request ${requestId}`,
  )
}

async function page(
  nonce: string,
  status: number,
  heading: string,
  text: string,
  small = '',
): Promise<Response> {
  const body = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${heading}</title>
<style nonce="${nonce}">
body { font: 16px/1.5 system-ui, sans-serif; display: grid; place-items: center; min-height: 90vh; margin: 0 1rem; color-scheme: light dark }
main { max-width: 32rem } small { opacity: .6 }
</style>
</head>
<body><main><h1>${heading}</h1><p>${text}</p><small>${small}</small></main></body>
</html>`
  return new Response(String(body), {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-store',
    },
  })
}
