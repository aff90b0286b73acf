// What people see. Everything that is not ours is escaped.

export const headers = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
}

const escape = (value) => String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

const style = `
  :root { color-scheme: light dark; --line: light-dark(#d8dce3, #3a3f4a); --soft: light-dark(#596273, #a3abba); --accent: light-dark(#1d5bd6, #7fa8ff) }
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 12vh auto; padding: 0 1.25rem }
  h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .5rem } p { color: var(--soft); margin: 0 0 1.5rem }
  dl { border: 1px solid var(--line); border-radius: .75rem; padding: .25rem 1.25rem; margin: 0 0 1.5rem }
  dl > div { display: flex; gap: 1rem; padding: .5rem 0 } dl > div + div { border-top: 1px solid var(--line) }
  dt { flex: 0 0 11rem; color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
  a.button, button { font: inherit; font-weight: 600; display: inline-block; padding: .6rem 1.25rem; border-radius: .6rem; cursor: pointer;
    border: 1px solid var(--accent); background: var(--accent); color: light-dark(#fff, #0d1526); text-decoration: none }
  button { background: none; color: var(--accent) }
  details { margin: 0 0 1.5rem } pre { overflow-x: auto; font-size: .875rem }`

const html = (title, body) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
<main>${body}</main>
</html>
`

export const welcome = () => html('Example application', `
  <h1>Example application</h1>
  <p>You are not signed in.</p>
  <a class="button" href="/login">Sign in</a>`)

export const home = (person, claims) => html('Signed in', `
  <h1>Hello, ${escape(person.name ?? person.preferred_username ?? person.sub)}</h1>
  <p>This is what the userinfo endpoint says about you.</p>
  <dl>${Object.entries(person).map(([name, value]) => `
    <div><dt>${escape(name)}</dt><dd>${escape(typeof value === 'object' ? JSON.stringify(value) : value)}</dd></div>`).join('')}
  </dl>
  <details><summary>The claims of the ID token</summary><pre>${escape(JSON.stringify(claims, null, 2))}</pre></details>
  <form method="post" action="/logout"><button>Sign out</button></form>`)

export const problem = (sentence) => html('Not signed in', `
  <h1>Not signed in</h1>
  <p>${escape(sentence)}</p>
  <a class="button" href="/login">Sign in</a>`)
