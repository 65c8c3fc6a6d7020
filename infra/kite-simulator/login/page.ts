// The simulator's login page: the broker's steps on one small form, marked so that nobody types a real password.
import { html } from 'hono/html'

export interface LoginPage {
  apiKey: string
  redirectParams: string
  userId: string
  error: string | null
}

export function loginPage({ apiKey, redirectParams, userId, error }: LoginPage) {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Kite simulator: login</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; background: #f4f4f6; display: grid; place-items: center; min-height: 100vh; margin: 0 }
main { background: #fff; padding: 2rem; border-radius: 6px; width: 20rem; box-shadow: 0 1px 4px #0002 }
.mark { background: #fde68a; padding: .4rem .6rem; border-radius: 4px; font-size: .85rem }
label { display: block; margin-top: 1rem; font-size: .85rem }
input { width: 100%; box-sizing: border-box; padding: .5rem; font: inherit; border: 1px solid #ccc; border-radius: 4px }
button { margin-top: 1.25rem; width: 100%; padding: .6rem; font: inherit; border: 0; border-radius: 4px; background: #e4572e; color: #fff }
.error { color: #b00020 }
</style>
</head>
<body>
<main>
<p class="mark"><strong>SIMULATOR</strong>: not the broker. Any password and any six digits will do; never type real ones.</p>
<h1>Login</h1>
${error === null ? '' : html`<p class="error" role="alert">${error}</p>`}
<form method="post" action="/connect/login">
<input type="hidden" name="api_key" value="${apiKey}">
<input type="hidden" name="redirect_params" value="${redirectParams}">
<label>User ID <input name="user_id" value="${userId}" autocomplete="off" required></label>
<label>Password <input name="password" type="password" autocomplete="off" required></label>
<label>TOTP <input name="totp" inputmode="numeric" pattern="[0-9]{6}" maxlength="6" autocomplete="off" required></label>
<button type="submit">Login</button>
</form>
</main>
</body>
</html>`
}
