// The dashboard in Chromium: in by the file of `--open`, every page at two sizes in two colour schemes, the keyboard alone, and
// without JavaScript.
//
//   ORIGIN=http://127.0.0.1:1 TOKEN=... NAMESPACE=... PAGES='{"clients": "/clients", ...}' FOLDER=... node dashboard.mjs
//
// Leaves pictures in FOLDER, and prints a JSON object: what is wrong, by picture or by step.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { complaints, findings, fragile, launch, overflow } from './chromium.mjs'
import { clientWithoutScript, editAndDelete, fourClicks, secret } from './dashboard_client.mjs'

const { ORIGIN, TOKEN, NAMESPACE, FOLDER } = process.env
const pages = Object.entries(JSON.parse(process.env.PAGES))
mkdirSync(FOLDER, { recursive: true })

const windows = {
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  desktop: { viewport: { width: 1280, height: 800 } },
}
const wrong = {}
const expect = (step, is, seen = '') => {
  if (!is) (wrong[step] ??= []).push(String(seen) || 'no')
}

/** As `--open` does it: a form in a file, which another origin than ours sends. */
async function signIn(browser) {
  const folder = mkdtempSync(join(tmpdir(), 'dashboard-'))
  const file = join(folder, 'open.html')
  const form = `<form method="post" action="${ORIGIN}/session"><input type="hidden" name="token" value="${TOKEN}"></form>`
  writeFileSync(file, `${form}<script>document.forms[0].submit()</script>`)
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(`file://${file}`)
  await page.waitForURL(`${ORIGIN}/clients`)
  expect('sign-in', (await page.locator('h1').innerText()) === 'Clients', await page.content())
  const state = await context.storageState()
  await context.close()
  rmSync(folder, { recursive: true })
  return state
}

/** Every page: what axe-core finds, what the console says, what does not fit. */
async function look(browser, storageState) {
  for (const [window, size] of Object.entries(windows)) {
    for (const colorScheme of ['light', 'dark']) {
      const context = await browser.newContext({ ...size, colorScheme, storageState })
      const page = await context.newPage()
      const complained = complaints(page)
      for (const [name, path] of pages) {
        const picture = `${name}-${window}-${colorScheme}`
        const answer = await page.goto(`${ORIGIN}${path}`)
        const shot = () => page.screenshot({ path: `${FOLDER}/${picture}.png`, fullPage: true })
        await shot().catch(shot)
        const found = complained.splice(0).filter((text) => answer.ok() || !text.includes(`status of ${answer.status()}`))
        if ((window === 'phone') === (colorScheme === 'light')) found.push(...(await findings(page)))
        const wide = await overflow(page)
        if (wide > 0) found.push(`${wide} pixels wider than the window`)
        if (found.length) wrong[picture] = found
      }
      await context.close()
    }
  }
  const context = await browser.newContext({ viewport: { width: 320, height: 640 }, storageState })
  const page = await context.newPage()
  for (const [name, path] of pages) {
    await page.goto(`${ORIGIN}${path}`)
    const narrow = await overflow(page)
    const found = [...(narrow > 0 ? [`${narrow} pixels wider than 320`] : []), ...(await fragile(page))]
    await page.screenshot({ path: `${FOLDER}/${name}-narrow.png`, fullPage: true })
    if (found.length) wrong[`${name}-narrow`] = found
  }
  await context.close()
}

/** The keyboard alone: search, then copy the client ID of what was found. Meanwhile another tab sees what is created. */
async function keyboard(browser, storageState) {
  const context = await browser.newContext({ storageState })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: ORIGIN })
  const page = await context.newPage()
  const complained = complaints(page)
  const here = `${ORIGIN}/clients?ns=${NAMESPACE}`
  await page.goto(here)
  await page.keyboard.press('/')
  expect('slash', await page.evaluate(() => document.activeElement?.id === 'q'))
  await page.keyboard.type('zebra', { delay: 20 })
  const rows = page.locator('tbody tr')
  await page.waitForURL(/q=zebra/)
  expect('search', (await rows.count()) === 1, await page.locator('#clients').innerText())
  await page.waitForFunction(() => !document.querySelector('.htmx-request'))
  await page.locator('tbody .copy').focus()
  await page.keyboard.press('Enter')
  // Not the words on the button: a row that changes is replaced.
  await page.locator('#said', { hasText: 'Copied.' }).waitFor({ state: 'attached' })
  const copied = await page.evaluate(() => navigator.clipboard.readText())
  expect('copy', copied === `${NAMESPACE}.shop`, copied)
  await page.reload()
  expect('bookmark', (await rows.count()) === 1)

  await page.goto(here)
  const other = await context.newPage()
  await other.goto(`${ORIGIN}/clients/new?preset=machine`)
  await other.locator('#display-name').fill('Live rows')
  await other.locator('#namespace').fill(NAMESPACE)
  await other.locator('#namespace').press('Enter')
  await other.waitForURL(new RegExp(`/clients/${NAMESPACE}/`))
  await page.bringToFront()
  await page.getByRole('link', { name: 'Live rows' }).waitFor({ timeout: 20_000 })
  expect('console', complained.length === 0, complained)
  await context.close()
}

/** Everything but copy and live rows works without a script. */
async function scriptless(browser, storageState) {
  const context = await browser.newContext({ storageState, javaScriptEnabled: false })
  const page = await context.newPage()
  await page.goto(`${ORIGIN}/clients`)
  await page.locator('#ns').fill(NAMESPACE)
  await page.locator('#q').fill('zebra')
  await page.locator('#q').press('Enter')
  await page.waitForURL(/q=zebra/)
  expect('no script: search', (await page.locator('tbody tr').count()) === 1)
  expect('no script: no copy buttons', !(await page.locator('tbody .copy').isVisible()))
  await page.locator('tbody th a').click()
  await page.waitForURL(new RegExp(`/clients/${NAMESPACE}/shop`))
  await context.close()
}

const browser = await launch()
try {
  const state = await signIn(browser)
  const around = { origin: ORIGIN, namespace: NAMESPACE, expect }
  for (const step of [look, fourClicks, keyboard, scriptless, secret, editAndDelete, clientWithoutScript]) {
    await step(browser, state, around).catch((error) => expect(step.name, false, error))
  }
} finally {
  await browser.close()
}
console.log(JSON.stringify(wrong))
