// The dashboard with CLIENTS clients, a power of ten: how long it takes until people see something, and what they see while the API server is away.
//
//   ORIGIN TOKEN CONTROL=http://127.0.0.1:2 CLIENTS PID node dashboard_speed.mjs
//
// Prints a JSON object: `figures` by name, in ms, kB or MiB; `wrong` by step.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { complaints, launch } from './chromium.mjs'

const { ORIGIN, TOKEN, CONTROL, CLIENTS, PID } = process.env
/** The name of a client in the middle of the list. */
const SOUGHT = `client-${'4242'.slice(0, CLIENTS.length - 1)}`
const figures = {}
const wrong = {}
const expect = (step, is, seen = '') => {
  if (!is) (wrong[step] ??= []).push(String(seen) || 'no')
}
const control = async (what) => (await fetch(`${CONTROL}/${what}`, { method: 'POST' })).text()
const quantile = (times, part) => [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * part))]
const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time))

const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true }

async function signIn(browser) {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(ORIGIN)
  await page.locator('input[name=token]').fill(TOKEN)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1 }).waitFor()
  const state = await context.storageState()
  await context.close()
  return state
}

/** The first request lists everything; later ones answer from memory. */
async function cold(context) {
  const page = await context.newPage()
  const began = performance.now()
  const answer = await page.goto(`${ORIGIN}/clients`, { waitUntil: 'commit' })
  await answer.finished()
  figures.cold = performance.now() - began
  const text = await answer.text()
  expect('cold', text.includes(`${CLIENTS} clients`), text.slice(0, 2000))
  figures.page = gzipSync(text).length / 1000
  const scripts = ['htmx.min.js', 'dashboard.js'].map((name) => text.match(new RegExp(`/assets/${name}[^"]*`))[0])
  const script = await page.evaluate((scripts) => Promise.all(scripts.map(async (address) => (await fetch(address)).text())), scripts)
  figures.script = gzipSync(script.join('')).length / 1000
  await page.close()
}

/** The first contentful paint, the median of several loads with a warm cache of assets. */
async function paint(context, slowdown) {
  const page = await context.newPage()
  const inspector = await context.newCDPSession(page)
  if (slowdown > 1) await inspector.send('Emulation.setCPUThrottlingRate', { rate: slowdown })
  const times = []
  for (let round = 0; round < 9; round++) {
    await page.goto(`${ORIGIN}/clients?page=${round + 2}`)
    times.push(
      await page.evaluate(
        () =>
          new Promise((resolve) => {
            new PerformanceObserver((list) => {
              const entry = list.getEntriesByName('first-contentful-paint')[0]
              if (entry) resolve(entry.startTime)
            }).observe({ type: 'paint', buffered: true })
          }),
      ),
    )
  }
  await page.close()
  return quantile(times, 0.5)
}

/** What the server takes for the rows of one page: requests from the page, one after the other. */
async function render(context) {
  const page = await context.newPage()
  await page.goto(`${ORIGIN}/clients`)
  const times = await page.evaluate(async () => {
    const times = []
    for (let round = 0; round < 120; round++) {
      const began = performance.now()
      const answer = await fetch(`/clients?q=client-${round % 10}&page=${(round % 2) + 1}&sort=-name`, { headers: { 'HX-Request': 'true' } })
      await answer.text()
      if (round >= 20) times.push(performance.now() - began)
    }
    return times
  })
  figures.render = quantile(times, 0.99)
  await page.close()
}

/** From the key until the rows of the search are there and drawn. */
async function keystrokes(context) {
  const page = await context.newPage()
  await page.goto(`${ORIGIN}/clients`)
  await page.evaluate(() => {
    window.times = []
    let typed = 0
    document.addEventListener('keydown', () => (typed = performance.now()), true)
    document.addEventListener('htmx:afterSwap', () => requestAnimationFrame(() => window.times.push(performance.now() - typed)))
  })
  await page.keyboard.press('/')
  for (const [count, key] of [...SOUGHT, ...Array(SOUGHT.length).fill('Backspace'), ...'application 99'].entries()) {
    await page.keyboard.press(key)
    await page.waitForFunction((count) => window.times.length > count, count)
  }
  figures.keystroke = quantile(await page.evaluate(() => window.times), 0.95)
  expect('search', (await page.locator('tbody tr').count()) > 0)
  await page.close()
}

/** From the write at the API server until the row shows it, in each of six windows. */
async function changes(context) {
  const pages = []
  for (let tab = 0; tab < 6; tab++) {
    const page = await context.newPage()
    await page.goto(`${ORIGIN}/clients`)
    pages.push(page)
  }
  const [first] = pages
  await sleep(500)
  const times = []
  for (let round = 0; round < 20; round++) {
    // The first row of the list, which works again after every second change.
    const word = round % 2 === 0 ? 'ClientIdConflict' : 'Ready'
    const shown = first.waitForFunction(
      (word) => document.querySelector('tbody tr .badge:not(.first-party)')?.textContent.trim() === word && performance.timeOrigin + performance.now(),
      word,
      { polling: 'raf' },
    )
    const began = Date.now()
    await control('toggle')
    times.push((await (await shown).jsonValue()) - began)
  }
  figures.change = quantile(times, 0.95)
  // Browsers allow six connections to one server: a seventh page still loads, and every window follows.
  await control('toggle')
  for (const [tab, page] of pages.entries()) {
    const row = page.locator('tbody tr', { hasText: 'ClientIdConflict' }).first()
    await row.waitFor({ timeout: 30_000 }).catch(() => expect('six windows', false, tab))
  }
  const seventh = await context.newPage()
  await seventh.goto(`${ORIGIN}/clients`, { timeout: 10_000 })
  for (const page of [...pages, seventh]) await page.close()
}

/** The watch is cut, then the API server restarts: the rows stay, a banner says so, and the list is live again afterwards. */
async function outage(context) {
  const page = await context.newPage()
  await page.goto(`${ORIGIN}/clients`)
  const banner = page.locator('#broken')
  const rows = page.locator('tbody tr')
  // The first row works again after every second change.
  const follows = async (word) => rows.first().locator('.badge', { hasText: word }).waitFor({ timeout: 30_000 })
  const before = await rows.count()
  await follows('ClientIdConflict')
  await control('cut')
  await control('toggle')
  await follows('Ready')
  expect('rows after a cut watch', (await rows.count()) === before)

  await control('stop')
  await banner.waitFor({ timeout: 30_000 })
  expect('rows stay', (await rows.count()) === before, await page.content())
  await page.keyboard.press('/')
  const refused = page.waitForResponse((response) => response.status() >= 500)
  await page.keyboard.type('c')
  await refused
  expect('rows stay while a person searches', (await rows.count()) === before && (await banner.isVisible()), await page.content())
  await page.keyboard.press('Backspace')
  await control('start')
  await banner.waitFor({ state: 'hidden', timeout: 30_000 })
  await control('toggle')
  await follows('ClientIdConflict')

  const { requests } = JSON.parse(await control('counts'))
  await sleep(2000)
  const rest = JSON.parse(await control('counts'))
  expect('no polls at rest', rest.requests === requests, JSON.stringify(rest))
  figures.watches = rest.watches
  await page.close()
}

const browser = await launch()
try {
  const storageState = await signIn(browser)
  const desktop = await browser.newContext({ storageState, viewport: { width: 1280, height: 800 } })
  const mobile = await browser.newContext({ ...phone, storageState })
  const page = await desktop.newPage()
  const complained = complaints(page)
  await page.close()
  const steps = [
    () => cold(desktop),
    async () => (figures.paintDesktop = await paint(desktop, 1)),
    async () => (figures.paintPhone = await paint(mobile, 4)),
    () => render(desktop),
    () => keystrokes(desktop),
    () => changes(desktop),
    () => outage(desktop),
  ]
  for (const [at, step] of steps.entries()) await step().catch((error) => expect(`step ${at}`, false, error.stack))
  expect('console', complained.length === 0, complained)
  const status = readFileSync(`/proc/${PID}/status`, 'utf8')
  figures.memory = Number(status.match(/VmRSS:\s+(\d+) kB/)[1]) / 1024
} finally {
  await browser.close()
}
console.log(JSON.stringify({ figures, wrong }))
