// A person at a real browser: Debian's Chromium, led by Playwright, from the example application to the sign-in page and
// back, through a wrong password, a refusal, a consent, and sign-out.
//
//   APP_URL ISSUER CERTIFICATE USERNAME PASSWORD node browser.mjs
//
// CERTIFICATE is the issuer's (PEM): Chromium accepts its key and no other that it does not know. Prints what the
// person saw as one JSON object.
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { complaints, launch } from './chromium.mjs'

const { APP_URL, ISSUER, CERTIFICATE, USERNAME, PASSWORD } = process.env

const key = new X509Certificate(readFileSync(CERTIFICATE)).publicKey.export({ type: 'spki', format: 'der' })
const browser = await launch([`--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`])

try {
  const context = await browser.newContext()
  context.setDefaultTimeout(45_000)
  const page = await context.newPage()
  const complained = complaints(page)
  const seen = await journey(context, page)
  // Chromium reports every 4xx: here the wrong password and the refusal, which are part of the journey.
  seen.complaints = complained.filter((line) => !/status of 40[13]/.test(line))
  console.log(JSON.stringify(seen))
} finally {
  await browser.close()
}

async function journey(context, page) {
  const seen = {}
  const headline = () => page.locator('h1').innerText()
  const at = (origin) => page.waitForURL((url) => url.origin === new URL(origin).origin)
  const leave = () => page.getByRole('link', { name: 'Sign in' }).click().then(() => at(ISSUER))
  const signIn = async (password) => {
    await page.locator('input[name=username]').fill(USERNAME)
    await page.locator('input[name=password]').fill(password)
    await page.keyboard.press('Enter')
  }
  const decide = (decision) => page.locator(`button[name=decision][value=${decision}]`).click().then(() => at(APP_URL))

  await page.goto(APP_URL)
  seen.welcome = await headline()
  await leave()
  await signIn(`${PASSWORD}?`)
  await page.getByRole('alert').waitFor()
  seen.wrongPassword = { alert: await page.getByRole('alert').innerText(), username: await page.locator('input[name=username]').inputValue() }
  await signIn(PASSWORD)
  await page.locator('button[name=decision]').first().waitFor()
  seen.consent = await page.locator('main').innerText()
  await decide('deny')
  seen.denied = await page.locator('main').innerText()

  await leave()
  await decide('allow') // signed in already, but what was refused is asked again
  seen.hello = await headline()
  seen.userinfo = Object.fromEntries(await page.locator('dl > div').evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent))))
  seen.cookies = (await context.cookies(ISSUER)).filter(({ secure }) => secure)
    .map(({ name, path, domain, httpOnly, sameSite }) => ({ name, path, domain, httpOnly, sameSite }))

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('You are not signed in').waitFor()
  seen.signedOutAt = page.url()
  await leave()
  await signIn(PASSWORD) // asked for again
  await at(APP_URL) // but not for consent
  seen.helloAgain = await headline()
  return seen
}
