// A person at a real browser, in front of a server on loopback: one scenario per run.
//
//   SCENARIO=... ISSUER=... CLIENT=http://localhost:... ELSEWHERE=http://127.0.0.1:... node visitor.mjs
//
// CLIENT and ELSEWHERE are two other origins, served from here: where applications lie, and where one of them sends people
// on to. `${ISSUER}/-/later` lets half an hour pass. Exits with 0 when everything was as the scenario says.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { complaints, findings, launch, overflow } from './chromium.mjs'

const { SCENARIO, ISSUER, CLIENT, ELSEWHERE, FOLDER } = process.env
const PASSWORD = 'correct horse battery staple'
const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(2)>`

/** What arrived at the client and elsewhere: method, address, form, and the headers that tell where it came from. */
const arrived = []
const html = (body) => `<!doctype html><html lang="en"><title>client</title><link rel="icon" href="data:,">${body}`

async function client(request, response) {
  let body = ''
  for await (const chunk of request) body += chunk
  const url = new URL(request.url, CLIENT)
  const { origin, referer } = request.headers
  const fields = Object.fromEntries(request.method === 'POST' ? new URLSearchParams(body) : url.searchParams)
  arrived.push({ host: request.headers.host, method: request.method, path: url.pathname, fields, origin, referer })
  if (url.pathname === '/onward') return response.writeHead(303, { location: `${ELSEWHERE}/landed` }).end()
  response.writeHead(200, { 'content-type': 'text/html' })
  response.end(html(url.pathname === '/start' ? '<button>Sign in</button>' : '<h1>Arrived</h1>'))
}

/** An authorization request, as an application sends it. */
function ask(more = {}) {
  const parameters = new URLSearchParams({
    client_id: 'team-a.orders',
    redirect_uri: `${CLIENT}/cb`,
    response_type: 'code',
    scope: 'openid profile email',
    state: 'state',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    ...more,
  })
  return `${ISSUER}/authorize?${parameters}`
}

const heading = (page) => page.locator('h1').innerText()
const at = (page, address) => page.waitForURL((url) => url.href.startsWith(address))

async function signIn(page, username = 'alice', password = PASSWORD) {
  await page.getByLabel('Username').fill(username)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

const press = (page, name) => page.getByRole('button', { name, exact: true }).click()

/** Nothing is wrong with the page, and the browser did not complain. */
async function isFine(page, complained, status = 200) {
  const found = complained.splice(0).filter((text) => status === 200 || !text.includes(`status of ${status}`))
  assert.deepEqual(found, [])
  assert.deepEqual(await findings(page), [])
  assert.equal(await overflow(page), 0)
}

/** Which element has the focus: its name, and whether one can see that it has. */
const focused = (page) =>
  page.evaluate(() => {
    const { id, innerText } = document.activeElement
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement)
    return { name: id || innerText.trim(), seen: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 }
  })

const scenarios = {
  async signs_in_and_allows(page, complained) {
    await page.goto(ask())
    assert.equal(await page.title(), 'Sign in – Acme')
    assert.match(await page.locator('main').innerText(), new RegExp(`continue to Orders[^]*go back to ${new URL(CLIENT).host}`))
    await isFine(page, complained)
    assert.equal((await focused(page)).name, 'username')

    await signIn(page, 'alice', 'wrong')
    const alert = page.getByRole('alert')
    assert.match(await alert.innerText(), /do not match/)
    assert.equal(await page.getByLabel('Username').inputValue(), 'alice')
    assert.equal(await page.getByLabel('Password').inputValue(), '')
    assert.equal(await page.getByLabel('Password').getAttribute('aria-describedby'), await alert.getAttribute('id'))
    assert.equal((await focused(page)).name, 'password')
    await isFine(page, complained, 401)

    await signIn(page)
    await at(page, `${ISSUER}/consent`)
    assert.equal(await heading(page), 'Allow Orders to use your account?')
    const text = await page.locator('main').innerText()
    for (const part of ['alice of Example', 'Know that it is you', 'See your email address', 'team-a', new URL(CLIENT).host]) {
      assert.ok(text.includes(part), `${part} in ${text}`)
    }
    const [allow, deny] = await Promise.all(['Allow', 'Deny'].map((name) => page.getByRole('button', { name }).boundingBox()))
    assert.deepEqual([allow.width, allow.height], [deny.width, deny.height], 'neither is easier to reach')
    await isFine(page, complained)

    await press(page, 'Allow')
    await at(page, `${CLIENT}/cb?code=`)
    const { fields, referer } = arrived.find(({ path }) => path === '/cb')
    assert.equal(fields.state, 'state')
    assert.equal(fields.iss, ISSUER)
    assert.equal(referer, undefined, 'the client does not learn the address of our page')
    assert.deepEqual(complained, [])
  },

  async denies(page) {
    await page.goto(ask())
    await signIn(page)
    await press(page, 'Deny')
    await at(page, `${CLIENT}/cb?error=access_denied`)
  },

  async is_somebody_else(page) {
    await page.goto(ask())
    await signIn(page)
    await press(page, 'Not you?')
    await at(page, `${ISSUER}/login`)
    await signIn(page, 'bob')
    await at(page, `${ISSUER}/consent`)
    assert.match(await page.locator('main').innerText(), /bob of Example/)
    await press(page, 'Allow')
    await at(page, `${CLIENT}/cb?code=`)
  },

  // Chromium applies form-action to every redirect after a POST; without the directive it lets people arrive.
  async arrives_through_every_redirect(page, complained) {
    const onward = { redirect_uri: `${CLIENT}/onward` }
    await page.goto(ask({ ...onward, client_id: 'team-a.desk' }))
    await signIn(page) // a first-party client: POST /login, then the client, then elsewhere
    await at(page, `${ELSEWHERE}/landed`)
    await page.goto(ask(onward))
    await press(page, 'Allow') // POST /consent, then the client, then elsewhere
    await at(page, `${ELSEWHERE}/landed`)
    assert.equal(arrived.filter(({ path }) => path === '/onward').length, 2)
    assert.deepEqual(complained, [])
  },

  // The same with the directive: so it is the browser's rule that the scenario before this one depends on.
  async would_not_arrive_with_form_action(page, complained) {
    await page.route(/\/authorize/, async (route) => {
      const answer = await route.fetch() // with its redirect, to the page to sign in
      const headers = answer.headers()
      headers['content-security-policy'] += "; form-action 'self'"
      await route.fulfill({ response: answer, headers })
    })
    await page.goto(ask({ client_id: 'team-a.desk' }))
    const refused = page.waitForEvent('console', (message) => /form-action/.test(message.text()))
    await signIn(page)
    await refused
    assert.equal(arrived.length, 0)
    assert.ok(complained.length > 0)
  },

  async needs_no_script(page) {
    await page.goto(ask())
    await signIn(page, 'alice', 'wrong')
    await page.getByRole('alert').waitFor()
    await signIn(page)
    await press(page, 'Allow')
    await at(page, `${CLIENT}/cb?code=`)
    await page.goto(ask({ response_mode: 'form_post', state: HOSTILE }))
    assert.equal(await heading(page), 'Continue to Orders?')
    await press(page, 'Continue')
    assert.equal(await heading(page), 'One moment')
    await press(page, 'Continue')
    await at(page, `${CLIENT}/cb`)
    assert.equal(arrived.at(-1).method, 'POST')
    assert.equal(arrived.at(-1).fields.state, HOSTILE)
  },

  async is_taken_back_by_a_form_that_sends_itself(page, complained) {
    page.on('dialog', () => assert.fail('what the client sent was run'))
    await page.goto(ask({ response_mode: 'form_post', state: HOSTILE }))
    await signIn(page)
    await press(page, 'Allow')
    await at(page, `${CLIENT}/cb`)
    const { method, fields, origin, referer } = arrived.find(({ path }) => path === '/cb')
    assert.equal(method, 'POST')
    assert.deepEqual(Object.keys(fields).sort(), ['code', 'iss', 'state'])
    assert.equal(fields.state, HOSTILE)
    assert.equal(origin, ISSUER, 'the client can see who sent it')
    assert.equal(referer, `${ISSUER}/`, 'and not more')
    assert.deepEqual(complained, [])
  },

  async uses_nothing_but_the_keyboard(page) {
    const type = async (...keys) => {
      for (const key of keys) await (key.length > 1 && key === key.trim() && /^(Tab|Enter|Space|Shift\+Tab)$/.test(key) ? page.keyboard.press(key) : page.keyboard.insertText(key))
    }
    await page.goto(ask())
    // A browser gives the focus a moment after it has loaded the page; a person waits for it, too.
    await page.locator('#username:focus').waitFor()
    await type('alice', 'Tab', PASSWORD)
    assert.deepEqual(await focused(page), { name: 'password', seen: true })
    await type('Tab')
    assert.deepEqual(await focused(page), { name: 'Sign in', seen: true })
    await type('Enter')
    await at(page, `${ISSUER}/consent`)
    for (const name of ['Not you?', 'Allow', 'Deny']) {
      await type('Tab')
      assert.deepEqual(await focused(page), { name, seen: true })
    }
    await type('Shift+Tab', 'Space')
    await at(page, `${CLIENT}/cb?code=`)
  },

  async is_told_what_is_wrong(page, complained) {
    page.on('dialog', () => assert.fail('what was sent was run'))
    await page.goto(ask({ client_id: HOSTILE, state: HOSTILE, ui_locales: HOSTILE, scope: HOSTILE }))
    assert.equal(await heading(page), 'This did not work')
    assert.ok(!(await page.content()).includes('alert('))
    await isFine(page, complained, 400)
    await page.getByRole('link', { name: 'Your account' }).click()
    assert.equal(await heading(page), 'Sign in')
  },

  async goes_back_and_answers_again(page, complained) {
    await page.goto(ask())
    await signIn(page)
    await press(page, 'Allow')
    await at(page, `${CLIENT}/cb?code=`)
    const answers = () => arrived.filter(({ path }) => path === '/cb').map(({ fields }) => fields.code)
    // What was allowed is not asked again: Back leads to the application with another code.
    await page.goBack().catch(() => {}) // Chromium calls a navigation that is redirected elsewhere interrupted
    await page.waitForURL((url) => url.href.startsWith(`${CLIENT}/cb?code=`) && !url.href.includes(answers()[0]))
    assert.equal(new Set(answers()).size, answers().length)
    assert.ok(answers().length >= 2)
    assert.deepEqual(complained, [])
  },

  async keeps_two_tabs_that_were_opened_together(page) {
    const other = await page.context().newPage()
    await Promise.all([page.goto(ask()), other.goto(ask())])
    for (const tab of [other, page]) {
      await signIn(tab)
      if (tab === other) await press(tab, 'Allow') // asked once
      await at(tab, `${CLIENT}/cb?code=`)
    }
  },

  async comes_back_too_late(page, complained) {
    await page.goto(ask())
    await page.request.get(`${ISSUER}/-/later`)
    await signIn(page)
    assert.equal(await heading(page), 'This did not work')
    assert.match(await page.locator('main').innerText(), /no longer valid/)
    await isFine(page, complained, 400)
    assert.equal(await page.getByRole('link', { name: 'Go to Orders' }).getAttribute('href'), CLIENT)
    await page.getByRole('link', { name: 'Your account' }).click()
    await signIn(page)
    assert.equal(await heading(page), 'Your account')
  },

  async is_asked_before_being_signed_out(page, complained) {
    const leave = `${ISSUER}/logout?${new URLSearchParams({ client_id: 'team-a.orders', post_logout_redirect_uri: `${CLIENT}/onward`, state: 's' })}`
    await page.goto(`${ISSUER}/account`)
    await signIn(page)
    await page.goto(leave)
    assert.equal(await heading(page), 'Sign out of Acme?')
    await isFine(page, complained)
    await press(page, 'Stay signed in')
    assert.equal(await heading(page), 'You are still signed in')
    await isFine(page, complained)
    await page.goto(leave)
    await press(page, 'Sign out')
    await at(page, `${ELSEWHERE}/landed`) // through the client, which sends people on
    await page.goto(`${ISSUER}/logout`)
    assert.equal(await heading(page), 'You are not signed in here')
    await isFine(page, complained)
    await page.getByRole('link', { name: 'Sign in' }).click()
    assert.equal(await heading(page), 'Sign in')
  },

  async withdraws_what_was_granted(page, complained) {
    await page.goto(ask())
    await signIn(page)
    await press(page, 'Allow')
    await at(page, `${CLIENT}/cb?code=`)
    await page.goto(ask()) // a program on this device: a click, but no consent
    assert.equal(await heading(page), 'Continue to Orders?')
    await isFine(page, complained)

    await page.goto(`${ISSUER}/account`)
    await isFine(page, complained)
    assert.match(await page.locator('main').innerText(), /Orders[^]*See your email address/)
    await page.getByRole('button', { name: 'Withdraw access of Orders' }).click()
    await page.getByRole('status').waitFor()
    assert.match(await page.locator('main').innerText(), /not given access to any application/)
    await isFine(page, complained)

    await page.goto(ask())
    assert.equal(await heading(page), 'Allow Orders to use your account?')
    await page.goto(`${ISSUER}/account`)
    await press(page, 'Sign out everywhere')
    assert.equal(await heading(page), 'You are signed out')
  },

  // What keeps Cross-Origin-Opener-Policy from the pages of a flow.
  async signs_in_in_a_popup_that_can_still_talk_to_the_application(page) {
    await page.goto(`${CLIENT}/start`)
    await page.evaluate((address) => document.querySelector('button').addEventListener('click', () => window.open(address, 'popup')), ask())
    const opened = page.waitForEvent('popup')
    await press(page, 'Sign in')
    const popup = await opened
    await signIn(popup)
    await press(popup, 'Allow')
    await at(popup, `${CLIENT}/cb?code=`)
    assert.equal(await popup.evaluate(() => window.opener.location.pathname), '/start')
  },

  async is_helped_by_a_password_manager(page) {
    await page.goto(ask({ login_hint: 'alice' }))
    const attributes = (label) =>
      page.getByLabel(label).evaluate((input) => ({ type: input.type, name: input.name, autocomplete: input.autocomplete, value: input.value }))
    assert.deepEqual(await attributes('Username'), { type: 'text', name: 'username', autocomplete: 'username', value: 'alice' })
    assert.deepEqual(await attributes('Password'), { type: 'password', name: 'password', autocomplete: 'current-password', value: '' })
    assert.equal(await page.locator('form').getAttribute('autocomplete'), null)
    // A manager fills in, or the person pastes.
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: ISSUER })
    await page.evaluate((text) => navigator.clipboard.writeText(text), PASSWORD)
    await page.getByLabel('Password').focus()
    await page.keyboard.press('Control+V')
    assert.equal(await page.getByLabel('Password').inputValue(), PASSWORD)
    await page.keyboard.press('Enter')
    await at(page, `${ISSUER}/consent`)
  },
}

const servers = [CLIENT, ELSEWHERE].map((origin) => createServer(client).listen(new URL(origin).port, '127.0.0.1'))
const browser = await launch()
try {
  const context = await browser.newContext({ javaScriptEnabled: SCENARIO !== 'needs_no_script' })
  context.setDefaultTimeout(45_000)
  const page = await context.newPage()
  const complained = complaints(page)
  try {
    await scenarios[SCENARIO](page, complained)
  } catch (error) {
    await page.screenshot({ path: `${FOLDER}/failed-${SCENARIO}.png`, fullPage: true }).catch(() => {})
    console.error({ url: page.url(), complained, arrived })
    throw error
  }
} finally {
  await browser.close()
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
}
console.log(JSON.stringify({ fine: true }))
