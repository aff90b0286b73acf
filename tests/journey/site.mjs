// The documentation as a site, opened from its files without a network: every page that can be reached from the first one,
// with axe-core, in Chromium; the pictures of the first page; and the search.
//
//   node site.mjs FOLDER
//
// FOLDER is what `make docs` writes. Prints how many pages were seen, and every finding as a line; exits with 1 if there
// is one.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { complaints, launch, violations } from './chromium.mjs'

const folder = pathToFileURL(`${resolve(process.argv[2])}/`)
const first = new URL('docs/index.html', folder)
const found = []

const browser = await launch()
try {
  const context = await browser.newContext({ offline: true })
  const page = await context.newPage()
  const complained = complaints(page)
  await search(page)
  await pictures(page)
  const seen = await walk(page)
  found.push(...complained)
  console.log(`${seen} pages`)
} finally {
  await browser.close()
}
for (const line of found) console.log(line)
process.exitCode = found.length ? 1 : 0

/** Visits every page of the site. */
async function walk(page) {
  const queue = [first.href]
  const known = new Set(queue)
  for (const address of queue) {
    await page.goto(address)
    // WCAG 2.5.8 exempts links in a sentence, and axe-core does not where two of them meet.
    const wrong = await violations(page, { without: ['target-size'] })
    found.push(...wrong.map((line) => `${address.slice(folder.href.length)}: ${line}`))
    const links = await page.evaluate(() => [...document.querySelectorAll('a[href]')].map((link) => link.href))
    for (const link of links) {
      const target = new URL(link)
      if (target.protocol !== 'file:') continue
      const fragment = decodeURIComponent(target.hash.slice(1))
      target.hash = ''
      target.search = ''
      if (!existsSync(target)) found.push(`${address.slice(folder.href.length)}: the link to ${link} leads nowhere`)
      // A fragment of the same page; those of other pages are checked by the link checker of the sources.
      else if (target.href === address && fragment && !(await page.evaluate((id) => !!document.getElementById(id), fragment)))
        found.push(`${address.slice(folder.href.length)}: has no element #${fragment}`)
      const path = target.href.slice(folder.href.length)
      // Examples that pages link to are files of the repository, and the page for printing repeats all others.
      const ours = path.endsWith('.html') && !/^(tests|examples|deploy)\/|^print\.html/.test(path)
      if (ours && !known.has(target.href)) {
        known.add(target.href)
        queue.push(target.href)
      }
    }
  }
  return queue.length
}

/** The first page shows what the product looks like. */
async function pictures(page) {
  await page.goto(first.href)
  const sizes = await page.evaluate(() => [...document.querySelectorAll('main img')].map((image) => image.naturalWidth))
  if (sizes.length < 2 || sizes.includes(0)) found.push(`the first page has pictures of these widths: [${sizes}]`)
}

/** What a reader looks for is among the first results. */
async function search(page) {
  const questions = [
    ['rotate client secret', /^Rotate client secrets and keys/],
    ['rotate signing keys', /^Rotate client secrets and keys/],
    ['pod without secret', /^A workload without a secret/],
    ['import keycloak', /^Import from other servers/],
    ['upgrade', /^Upgrade and roll back/],
    ['restore backup', /^Backup and restore/],
    ['redirectUris', /OAuthClient/],
  ]
  for (const [words, expected] of questions) {
    await page.goto(first.href)
    await page.keyboard.press('s')
    // The search answers to keys, not to a changed value.
    await page.locator('#mdbook-searchbar').pressSequentially(words)
    const results = page.locator('#mdbook-searchresults a')
    await results.first().waitFor({ timeout: 20_000 })
    const titles = (await results.allTextContents()).slice(0, 8).map((title) => title.trim())
    if (!titles.some((title) => expected.test(title))) found.push(`the search for "${words}" gives first: ${titles.join('; ')}`)
    await results.first().click()
    await page.waitForLoadState()
  }
}
