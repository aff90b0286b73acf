// A small web application: sign in, see who you are, sign out.
//
//   ISSUER=... CLIENT_ID=... CLIENT_SECRET=... [APP_URL=http://127.0.0.1:3000] [HOST=127.0.0.1] [PORT=3000] node server.mjs
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import * as pages from './pages.mjs'
import * as signIn from './sign_in.mjs'

const { APP_URL = 'http://127.0.0.1:3000', HOST = '127.0.0.1' } = process.env
const { PORT = new URL(APP_URL).port || '3000' } = process.env
const url = (path) => new URL(path, APP_URL).href

// Sessions live in memory: enough for one process and an example. The browser holds a random name of its session.
const sessions = new Map()
const HOURS = 8
const secure = APP_URL.startsWith('https:')
const cookie = secure ? '__Host-example-app' : 'example-app'

function session(request) {
  const pairs = (request.headers.cookie ?? '').split('; ').map((pair) => pair.split('='))
  const name = pairs.find(([key]) => key === cookie)?.[1]
  const found = sessions.get(name)
  if (found && found.endsAt > Date.now()) return found
  sessions.delete(name)
  return undefined
}

/** A session under a new name, whatever the browser held before: a session cannot be prepared for another person. */
function start(content) {
  for (const [name, { endsAt }] of sessions) if (endsAt <= Date.now()) sessions.delete(name)
  const name = randomBytes(32).toString('base64url')
  sessions.set(name, { ...content, name, endsAt: Date.now() + HOURS * 3_600_000 })
  return { 'set-cookie': `${cookie}=${name}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}` }
}

const to = (location, headers = {}) => ({ status: 303, headers: { location: String(location), ...headers } })
const page = (body, status = 200) => ({ status, body, headers: {} })

const routes = {
  'GET /': async (request) => {
    const { tokens } = session(request) ?? {}
    if (!tokens) return page(pages.welcome())
    return page(pages.home(await signIn.person(tokens), tokens.claims))
  },

  'GET /login': async () => {
    const { url: there, memory } = await signIn.begin(url('/callback'))
    return to(there, start({ memory }))
  },

  'GET /callback': async (request) => {
    const begun = session(request)
    if (!begun?.memory) return page(pages.problem('This sign-in was not begun in this browser, or it is over.'), 400)
    sessions.delete(begun.name)
    const tokens = await signIn.finish(new URL(url(request.url)), begun.memory)
    return to('/', start({ tokens }))
  },

  'POST /logout': async (request) => {
    const { name, tokens } = session(request) ?? {}
    sessions.delete(name)
    return to(tokens ? await signIn.end(tokens, url('/')) : '/')
  },

  'GET /healthz': async () => page('ok\n'),
}

/** What the issuer refuses, the person gets to read; what broke, we do. */
function explain(error, request) {
  if (error.error === 'access_denied') return page(pages.problem('You did not allow it, so you are not signed in.'), 403)
  console.error(`${request.method} ${request.url.split('?')[0]}: ${error.name} ${error.code ?? ''} ${error.error ?? error.cause?.code ?? error.message}`)
  if (error.error === 'invalid_grant' || error.status === 401) {
    sessions.delete(session(request)?.name)
    return page(pages.problem('You are signed out there.'), 401)
  }
  return page(pages.problem('Signing in does not work at the moment.'), 502)
}

const server = createServer(async (request, response) => {
  const route = routes[`${request.method} ${request.url.split('?')[0]}`]
  const answer = route ? await route(request).catch((error) => explain(error, request)) : page(pages.problem('There is no such page.'), 404)
  response.writeHead(answer.status, { ...pages.headers, ...answer.headers }).end(answer.body)
})
server.listen(Number(PORT), HOST, () => console.log(`Open ${APP_URL}`))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0))
