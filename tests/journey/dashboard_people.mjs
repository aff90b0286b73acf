// The dashboard in the cluster, in Chromium: two people sign in at the issuer, each sees what RBAC allows, and no token is in a page, an
// address, a cookie or the storage of the browser. Then sign-out, and the same without JavaScript by the keyboard.
//
//   ORIGIN ISSUER CERTIFICATE PEOPLE='[{"username": …, "password": …, "namespace": …, "sees": …, "client": …}, …]' FOLDER node dashboard_people.mjs
//
// Prints a JSON object: what is wrong, by step.
import { createHash, X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { complaints, findings, launch, overflow } from './chromium.mjs'

const { ORIGIN, ISSUER, CERTIFICATE, FOLDER } = process.env
const people = JSON.parse(process.env.PEOPLE)
mkdirSync(FOLDER, { recursive: true })
const wrong = {}
const expect = (step, is, seen = '') => {
  if (!is) (wrong[step] ??= []).push(String(seen) || 'no')
}
/** The beginning of every JWT: `{"` in base64url. */
const TOKEN = /eyJ[\w-]+\.[\w-]+/

/** Every answer of the dashboard and every address that holds a token. */
function watch(page) {
  const held = []
  const pending = []
  page.on('response', (response) => {
    const look = async () => {
      // The stream of changes does not end.
      if (!response.url().startsWith(ORIGIN) || response.url().endsWith('/clients/changes')) return
      const headers = JSON.stringify(await response.allHeaders().catch(() => ({})))
      const body = await response.text().catch(() => '')
      if (TOKEN.test(body) || TOKEN.test(headers) || TOKEN.test(response.url())) held.push(response.url())
    }
    pending.push(look())
  })
  return async () => {
    await Promise.all(pending)
    return held
  }
}

async function signIn(page, { username, password }) {
  await page.waitForURL((url) => url.origin === ISSUER)
  await page.locator('input[name=username]').fill(username)
  await page.locator('input[name=password]').fill(password)
  await page.keyboard.press('Enter')
  await page.waitForURL((url) => url.origin === ORIGIN && url.pathname !== '/callback')
}

/** The API server looks for an issuer that it has not reached every ten seconds. */
async function known(page) {
  const until = Date.now() + 60_000
  while ((await page.locator('h1').innerText()) === 'The cluster does not know you') {
    const said = await page.locator('main').innerText()
    expect('401 names the audience', said.includes('The cluster does not trust this issuer') && said.includes('clientele-dashboard'), said)
    if (Date.now() > until) throw new Error(said)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    await page.reload()
  }
}

async function judge(page, name) {
  const found = await findings(page)
  if ((await overflow(page)) > 0) found.push('wider than the window')
  await page.screenshot({ path: `${FOLDER}/${name}.png`, fullPage: true })
  if (found.length) wrong[name] = found
}

const key = new X509Certificate(readFileSync(CERTIFICATE)).publicKey.export({ type: 'spki', format: 'der' })
const browser = await launch([`--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`])
const pages = []

async function everyone() {
  for (const person of people) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
    context.setDefaultTimeout(45_000)
    const page = await context.newPage()
    const held = watch(page)
    await page.goto(`${ORIGIN}/clients?ns=${person.namespace}`)
    await signIn(page, person)
    await known(page)
    expect('back where they wanted to be', page.url() === `${ORIGIN}/clients?ns=${person.namespace}`, page.url())
    pages.push({ person, context, page, held, complained: complaints(page) })
  }
  for (const { person, page } of pages) {
    const text = await page.locator('main').innerText()
    expect(`${person.username} sees their own`, text.includes(person.sees), text)
    for (const other of people.filter((one) => one !== person)) {
      expect(`${person.username} sees nothing else`, !text.includes(other.sees), text)
      await page.goto(`${ORIGIN}/clients/${other.namespace}/${other.client}`)
      expect(`${person.username} is refused`, (await page.locator('h1').innerText()) === 'This is not allowed', await page.content())
    }
    expect('who it is', (await page.locator('.who').innerText()).includes(person.username), await page.content())
  }
}

async function write() {
  const { person, page } = pages[0]
  await page.goto(`${ORIGIN}/clients/${person.namespace}/${person.client}/edit`)
  await page.locator('#display-name').fill('Mine, edited')
  await page.locator('#display-name').press('Enter')
  await page.waitForURL(new RegExp(`/clients/${person.namespace}/${person.client}$`))
  expect('edited', (await page.locator('h1').innerText()).includes('Mine, edited'))
  await judge(page, 'people-overview')
}

async function nowhere() {
  for (const { person, page, context, held, complained } of pages) {
    await page.goto(`${ORIGIN}/clients?ns=${person.namespace}`)
    // The issuer is on another port of the same host, and cookies do not know ports.
    const cookies = (await context.cookies(ORIGIN)).filter(({ name }) => name.startsWith('clientele-dashboard'))
    expect('one cookie', cookies.length === 1 && cookies[0].httpOnly && cookies[0].sameSite === 'Lax', JSON.stringify(cookies))
    const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state, document.cookie]))
    expect('no token in the browser', !TOKEN.test(stored + JSON.stringify(cookies)), stored)
    const answers = await held()
    expect('no token in an answer', answers.length === 0, answers)
    // Also 409: the operator may write the status between the form and its answer.
    const unexpected = complained.filter((line) => !/status of 40[139]/.test(line))
    expect('console', unexpected.length === 0, unexpected)
  }
}

async function leave() {
  const { page } = pages[0]
  await page.getByRole('button', { name: 'Sign out' }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'You are signed out of the dashboard' }).waitFor()
  await judge(page, 'people-signed-out')
  // At the issuer they are signed in, so no password is asked for. As the dashboard is on loopback, the issuer asks whether to continue.
  await page.goto(`${ORIGIN}/clients`)
  await page.locator('button[name=decision][value=allow]').click()
  await page.waitForURL(`${ORIGIN}/clients`)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('link', { name: 'Sign out of the issuer' }).click()
  await page.waitForURL((url) => url.origin === ISSUER)
  const { page: other, person } = pages[1]
  await other.goto(`${ORIGIN}/clients?ns=${person.namespace}`)
  expect('the other one stays', (await other.locator('main').innerText()).includes(person.sees))
}

async function scriptless() {
  const person = people[1]
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } })
  const page = await context.newPage()
  await page.goto(`${ORIGIN}/clients?ns=${person.namespace}`)
  await signIn(page, person)
  await page.waitForURL(`${ORIGIN}/clients?ns=${person.namespace}`)
  expect('no script: sees their own', (await page.locator('main').innerText()).includes(person.sees))
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'You are signed out of the dashboard' }).waitFor()
  await context.close()
}

try {
  for (const step of [everyone, write, nowhere, leave, scriptless]) {
    await step().catch((error) => expect(step.name, false, error.stack))
  }
} finally {
  await browser.close()
}
console.log(JSON.stringify(wrong))
