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

/**
 * Starts it. FONT_FAMILY and FONT_PACKAGE, where they are set, name the font that FONTCONFIG_FILE leaves to it: a page may
 * look right in one font and not in another, so it is an error when another one is used.
 */
export async function launch(more = []) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // The sandbox needs rights that root in a container does not have. The pages are our own.
    chromiumSandbox: false,
    args: [...args, ...more],
  })
  const { FONT_FAMILY, FONT_PACKAGE } = process.env
  const used = await families(browser)
  if (FONT_FAMILY && used.join() !== FONT_FAMILY) {
    await browser.close()
    throw new Error(`the font ${FONT_FAMILY} is missing (Chromium uses ${used.join(', ') || 'none'}): install it, for example \`apt-get install ${FONT_PACKAGE}\``)
  }
  console.error(`Chromium ${browser.version()} shows pages in ${used}`)
  return browser
}

/** The font families that Chromium uses for the kinds of text that our pages have. */
async function families(browser) {
  const page = await browser.newPage()
  await page.setContent('<p style="font-family: system-ui">a <b style="font-family: sans-serif">b</b> <code>c</code></p>')
  const inspector = await page.context().newCDPSession(page)
  await inspector.send('DOM.enable')
  await inspector.send('CSS.enable')
  const { root } = await inspector.send('DOM.getDocument')
  const { nodeId } = await inspector.send('DOM.querySelector', { nodeId: root.nodeId, selector: 'p' })
  const { fonts } = await inspector.send('CSS.getPlatformFontsForNode', { nodeId })
  await page.close()
  return [...new Set(fonts.map(({ familyName }) => familyName))]
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const rules = {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'],
  rules: { 'target-size': { enabled: true } },
  resultTypes: ['violations', 'incomplete'],
  // It would read style sheets of other origins, and every file is one.
  preload: false,
}

/** What is wrong with a page, as lines: what axe-core finds or cannot decide, and what only looks right by luck. */
export async function findings(page) {
  return [...(await violations(page, { undecided: true })), ...(await fragile(page))]
}

/**
 * What axe-core finds in a page, as lines, and with `undecided` what it cannot decide. `without` names rules that are not
 * applied.
 */
export async function violations(page, { undecided = false, without = [] } = {}) {
  await page.evaluate(axe)
  const off = Object.fromEntries(without.map((rule) => [rule, { enabled: false }]))
  const options = { ...rules, rules: { ...rules.rules, ...off } }
  const { violations, incomplete } = await page.evaluate((options) => globalThis.axe.run(options), options)
  return [...violations, ...(undecided ? incomplete : [])].flatMap(({ id, nodes }) =>
    nodes.map(({ html, any, all }) => `${id}: ${[...any, ...all].map(({ message }) => message)} in ${html}`),
  )
}

/** What overlaps in this or another font, and what is hard to hit. */
export const fragile = (page) => page.evaluate(layout)

/**
 * Runs in the page. Finds what overlaps in some font even if not in this one: an inline box takes no room for its padding,
 * border and minimum height, and a negative margin lays a box over its neighbor. Finds also what is hard to hit: WCAG 2.2,
 * 2.5.8 wants 24 pixels, and would accept less in a sentence.
 */
function layout() {
  const found = []
  const opening = (element) => element.cloneNode().outerHTML.replace(/<\/.*/, '')
  for (const element of document.body.querySelectorAll('*')) {
    const style = getComputedStyle(element)
    const not = (names, fine) => names.filter((name) => !fine(style[name])).map((name) => `${name} ${style[name]}`)
    const sides = ['Top', 'Right', 'Bottom', 'Left']
    const wrong = []
    if (style.display === 'inline' && element.localName !== 'img') {
      const extent = [...sides.map((side) => `padding${side}`), ...sides.map((side) => `border${side}Width`), 'minHeight', 'minWidth']
      wrong.push(...not(extent, (value) => ['0px', 'auto'].includes(value)))
    }
    if (style.display.startsWith('inline')) {
      wrong.push(...not(sides.map((side) => `margin${side}`), (value) => !value.startsWith('-')))
    }
    if (wrong.length) found.push(`layout: ${style.display} with ${wrong.join(', ')} in ${opening(element)}`)
  }
  const targets = [...document.querySelectorAll('a[href], button, input:not([type=hidden])')]
    // What is not displayed cannot be hit.
    .filter((element) => element.getClientRects().length > 0)
    .map((element) => ({ element, box: element.getBoundingClientRect() }))
  targets.forEach(({ element, box }, index) => {
    if (box.width < 24 || box.height < 24) found.push(`layout: ${box.width} by ${box.height} pixels is too small in ${opening(element)}`)
    for (const other of targets.slice(index + 1)) {
      const apart = other.box.left >= box.right || other.box.right <= box.left || other.box.top >= box.bottom || other.box.bottom <= box.top
      if (!apart) found.push(`layout: ${opening(element)} overlaps ${opening(other.element)}`)
    }
  })
  return found
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
