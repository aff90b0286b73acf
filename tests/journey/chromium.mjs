// Debian's Chromium, and what is wrong with a page.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

/** Without the background flags it asks hosts of its maker at every start. */
const args = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export function launch(more = []) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // The sandbox needs rights that root in a container does not have. The pages are our own.
    chromiumSandbox: false,
    args: [...args, ...more],
  })
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const rules = {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'],
  rules: { 'target-size': { enabled: true } },
  resultTypes: ['violations', 'incomplete'],
}

/** What axe-core finds in a page, as lines; also what it could not decide, so that nobody has to wonder. */
export async function findings(page) {
  await page.evaluate(axe)
  const { violations, incomplete } = await page.evaluate((rules) => globalThis.axe.run(rules), rules)
  return [...violations, ...incomplete].flatMap(({ id, nodes }) =>
    nodes.map(({ html, any, all }) => `${id}: ${[...any, ...all].map(({ message }) => message)} in ${html}`),
  )
}

/** By how many pixels a page is wider than its window. */
export function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}

/** Collects what a page complains of: errors, and what its policy refused. */
export function complaints(page) {
  const list = []
  page.on('console', (message) => message.type() === 'error' && list.push(`${page.url()}: ${message.text()}`))
  page.on('pageerror', (error) => list.push(`${page.url()}: ${error}`))
  return list
}
