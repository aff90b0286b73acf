// The pages of one client in Chromium, steps of dashboard.mjs: the secret is shown, copied and hidden, and is nowhere else; a
// client is edited and deleted by the keyboard alone, and revealed and edited without JavaScript.

/** Every response that holds a text, as `METHOD path`. */
function holders(page, text) {
  const found = []
  const pending = []
  page.on('response', (response) => {
    const look = async () => {
      const body = await response.text().catch(() => '')
      const request = response.request()
      if (text() && body.includes(text())) found.push(`${request.method()} ${new URL(request.url()).pathname}`)
    }
    pending.push(look())
  })
  return async () => {
    await Promise.all(pending)
    return found
  }
}

/**
 * As a new administrator: from the first page to a web application whose ID and secret are in the clipboard. Everything else is typed; every click
 * counts.
 */
export async function fourClicks(browser, storageState, { origin, namespace, expect }) {
  const context = await browser.newContext({ storageState })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin })
  const page = await context.newPage()
  let clicks = 0
  const click = async (role, name) => {
    clicks += 1
    await page.getByRole(role, { name, exact: true }).first().click()
  }
  const copied = async () => {
    await page.locator('#said', { hasText: 'Copied.' }).waitFor({ state: 'attached' })
    await page.locator('#said').evaluate((said) => (said.textContent = ''))
    return page.evaluate(() => navigator.clipboard.readText())
  }
  // Where `--open` leads, and what the printed address shows after the token.
  await page.goto(`${origin}/`)
  await click('link', 'New client')
  await page.keyboard.press('Tab')
  await page.locator('#display-name').fill('First shop')
  await page.locator('#redirect-uris').fill('https://first.example.com/callback')
  await click('button', 'Create')
  await page.waitForURL(new RegExp(`/clients/${namespace}/first-shop$`))
  // The page asks again until the operator has registered the client.
  await page.getByRole('button', { name: 'Copy client secret' }).waitFor({ timeout: 20_000 })
  await click('button', 'Copy client ID')
  const id = await copied()
  await click('button', 'Copy client secret')
  const value = await copied()
  expect('four clicks', clicks === 4, clicks)
  expect('the ID is in the clipboard', id === `${namespace}.first-shop`, id)
  expect('the secret is in the clipboard', value.startsWith('clt_') && value.length === 70, value.length)
  await context.close()
}

export async function secret(browser, storageState, { origin, namespace, expect }) {
  const context = await browser.newContext({ storageState })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin })
  const page = await context.newPage()
  const there = `/clients/${namespace}/shop`
  const anything = holders(page, () => 'clt_')
  await page.goto(`${origin}${there}`)
  const clean = async (step) => {
    const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state, location.href]))
    expect(step, !(await page.content()).includes('clt_') && !stored.includes('clt_'), stored)
  }
  await clean('masked')
  await page.getByRole('button', { name: 'Copy client secret' }).focus()
  await page.keyboard.press('Enter')
  await page.locator('#said', { hasText: 'Copied.' }).waitFor({ state: 'attached' })
  const copied = await page.evaluate(() => navigator.clipboard.readText())
  expect('copy secret', copied.startsWith('clt_') && copied.length === 70, copied.length)
  await clean('copied without being shown')

  await page.getByRole('button', { name: 'Reveal client secret' }).focus()
  await page.keyboard.press('Enter')
  const value = page.locator('#secret-value')
  await value.waitFor()
  expect('reveal', (await value.innerText()) === copied)
  await page.waitForFunction(() => document.activeElement?.id === 'secret-hide')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Reveal client secret' }).waitFor()
  await clean('hidden')

  await page.getByRole('button', { name: 'Reveal client secret' }).click()
  await value.waitFor()
  await page.getByRole('link', { name: 'Lifetimes' }).click()
  await page.waitForURL(/lifetimes/)
  await page.goBack()
  await page.getByText('Client secret').first().waitFor()
  await clean('back')
  const seen = await anything()
  const allowed = [`POST ${there}/secret`, `POST ${there}/secret/copy`]
  expect('answers with the secret', seen.length === 3 && seen.every((one) => allowed.includes(one)), seen)
  await context.close()
}

export async function editAndDelete(browser, storageState, { origin, namespace, expect }) {
  const context = await browser.newContext({ storageState })
  const page = await context.newPage()
  await page.goto(`${origin}/clients/${namespace}/machine/edit`)
  await page.locator('#display-name').focus()
  await page.keyboard.type('Night job')
  // The dry run answers while typing, and the YAML follows.
  await page.locator('#yaml', { hasText: 'displayName: Night job' }).waitFor()
  await page.locator('#redirect-uris').focus()
  await page.keyboard.type('ftp://nowhere')
  await page.locator('#wrong-redirect-uris', { hasText: 'Line 1' }).waitFor()
  expect('typed is kept', (await page.locator('#redirect-uris').inputValue()) === 'ftp://nowhere')
  await page.locator('#redirect-uris').fill('')
  await page.locator('#rotation-every').focus()
  await page.keyboard.type('24h')
  await page.locator('#wrong-rotation-every', { hasText: 'longer than maxOverlap' }).waitFor()
  await page.locator('#rotation-every').fill('720h')
  await page.locator('#yaml', { hasText: 'every: 720h' }).waitFor()
  await page.locator('#display-name').press('Enter')
  await page.waitForURL(new RegExp(`/clients/${namespace}/machine$`))
  expect('edited', (await page.locator('h1').innerText()).includes('Night job'))

  const rotate = page.getByRole('button', { name: 'Rotate', exact: true })
  await page.goto(`${origin}/clients/${namespace}/machine/credentials`)
  await page.locator('dd', { hasText: '30 days' }).waitFor()
  await rotate.focus()
  await page.keyboard.press('Enter')
  await page.getByText('The rotation is requested.').waitFor()

  await page.goto(`${origin}/clients/${namespace}/machine/delete`)
  await page.locator('#confirm').focus()
  await page.keyboard.type('machine')
  await page.keyboard.press('Enter')
  await page.waitForURL(`${origin}/clients`)
  await context.close()
}

export async function clientWithoutScript(browser, storageState, { origin, namespace, expect }) {
  const context = await browser.newContext({ storageState, javaScriptEnabled: false })
  const page = await context.newPage()
  const there = `${origin}/clients/${namespace}/shop`
  await page.goto(there)
  await page.getByRole('button', { name: 'Reveal client secret' }).click()
  expect('no script: reveal', (await page.locator('#secret-value').innerText()).startsWith('clt_'))
  await page.getByRole('link', { name: 'Hide' }).click()
  expect('no script: hide', !(await page.content()).includes('clt_'))
  await page.getByRole('link', { name: 'Edit', exact: true }).click()
  await page.locator('#display-name').fill('Zebra Store')
  await page.getByRole('button', { name: 'Check' }).click()
  expect('no script: check', (await page.locator('#yaml').innerText()).includes('displayName: Zebra Store'))
  await page.getByRole('button', { name: 'Save' }).click()
  expect('no script: save', (await page.locator('h1').innerText()).includes('Zebra Store'), await page.content())
  await context.close()
}
