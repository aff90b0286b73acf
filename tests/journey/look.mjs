// Shows pages to Chromium as a phone and a desktop see them, light and dark, and says what is wrong with them.
//
//   PAGES='{"sign-in": "http://127.0.0.1:1/sign-in", ...}' FOLDER=... node look.mjs
//
// Leaves a picture of each in FOLDER, and prints a JSON object: what is wrong, by picture.
import { mkdirSync } from 'node:fs'
import { complaints, findings, fragile, launch, overflow } from './chromium.mjs'

const pages = Object.entries(JSON.parse(process.env.PAGES))
const folder = process.env.FOLDER
mkdirSync(folder, { recursive: true })

const windows = {
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  desktop: { viewport: { width: 1280, height: 800 } },
}

/** WCAG 2.2, 1.4.12: what readers may set, and nothing may be cut off. */
const spacing = `* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }
p { margin-bottom: 2em !important }`

/** The page that submits itself is seen where scripts are off; axe-core needs scripts, so that one alone is taken out. */
async function withoutScript(context) {
  await context.route('**/form-post', async (route) => {
    const answer = await route.fetch()
    const body = (await answer.text()).replace(/<script>.*<\/script>/, '')
    await route.fulfill({ response: answer, body })
  })
}

const wrong = {}
const browser = await launch()
try {
  for (const [window, size] of Object.entries(windows)) {
    for (const colorScheme of ['light', 'dark']) {
      const context = await browser.newContext({ ...size, colorScheme })
      await withoutScript(context)
      const page = await context.newPage()
      const complained = complaints(page)
      for (const [name, address] of pages) {
        const answer = await page.goto(address)
        const picture = `${name}-${window}-${colorScheme}`
        // A busy machine has no memory for a picture now and then; the second try is judged.
        const shot = () => page.screenshot({ path: `${folder}/${picture}.png`, fullPage: true })
        await shot().catch(shot)
        // Chromium complains of every status that is an error, and some pages have one.
        const found = complained.splice(0).filter((text) => answer.ok() || !text.includes(`status of ${answer.status()}`))
        // Both sizes and both schemes, but not all four pairs of them: it takes a while.
        if ((window === 'phone') === (colorScheme === 'light')) found.push(...(await findings(page)))
        const wide = await overflow(page)
        if (wide > 0) found.push(`${wide} pixels wider than the window`)
        if (found.length) wrong[picture] = found
      }
      await context.close()
    }
  }
  // 320 pixels are a small phone, or 1280 enlarged four times (WCAG 2.2, 1.4.10); enlarged spacing comes on top.
  const context = await browser.newContext({ viewport: { width: 320, height: 640 }, bypassCSP: true })
  await withoutScript(context)
  const page = await context.newPage()
  for (const [name, address] of pages) {
    await page.goto(address)
    const found = await fragile(page)
    const narrow = await overflow(page)
    if (narrow > 0) found.push(`${narrow} pixels wider than 320`)
    await page.addStyleTag({ content: spacing })
    const spaced = await overflow(page)
    if (spaced > 0) found.push(`with enlarged spacing ${spaced} pixels wider than 320`)
    found.push(...(await fragile(page)).map((text) => `with enlarged spacing ${text}`))
    await page.screenshot({ path: `${folder}/${name}-narrow.png`, fullPage: true })
    if (found.length) wrong[`${name}-narrow`] = found
  }
  await context.close()
} finally {
  await browser.close()
}
console.log(JSON.stringify(wrong))
