// People at a real browser: they follow the consumer to the issuer, sign in, agree, and come back.
import { createHash, randomBytes } from 'node:crypto'
import { launch } from '../../journey/chromium.mjs'

export class People {
  static async start(installation) {
    const people = new People()
    people.installation = installation
    people.browser = await launch(installation.front.flags)
    return people
  }

  /** A browser of its own for this person. */
  async open(username) {
    const context = await this.browser.newContext({ viewport: { width: 900, height: 560 } })
    context.setDefaultTimeout(30_000)
    return new Person(this.installation, context, await context.newPage(), username)
  }

  /** The tokens that a person gets for another client of the same issuer, by a browser of their own. */
  async tokens(client, username, { nonce = random(), scope, resource } = {}) {
    const person = await this.open(username)
    try {
      return await person.tokens(client, { nonce, scope, resource })
    } finally {
      await person.close()
    }
  }

  close() {
    return this.browser.close()
  }
}

const random = () => randomBytes(32).toString('base64url')

class Person {
  constructor(installation, context, page, username) {
    Object.assign(this, { installation, context, page, ...installation.person(username) })
  }

  /** Goes to an address, and through whatever the issuer asks, until a page that is not the issuer's. */
  async visit(url) {
    // An answer without a body, such as 204, is no navigation for Chromium.
    const answer = await this.page.goto(url)
    await this.pass()
    return answer
  }

  /** Does what the pages of the issuer ask for. */
  async pass() {
    const { page } = this
    for (let step = 0; step < 8; step++) {
      await page.waitForLoadState()
      if (new URL(page.url()).origin !== this.installation.issuer) return
      const alert = page.getByRole('alert')
      if (await page.locator('input[name=password]').count()) {
        if (await alert.count()) throw new Error(`the issuer does not sign ${this.username} in: ${await alert.innerText()}`)
        await page.locator('input[name=username]').fill(this.username)
        await page.locator('input[name=password]').fill(this.password)
        await this.leave(() => page.keyboard.press('Enter'))
      } else if (await page.locator('button[name=decision][value=allow]').count()) {
        await this.leave(() => page.locator('button[name=decision][value=allow]').click())
      } else {
        throw new Error(`the issuer stops with a page: ${await page.locator('main').innerText()} at ${page.url()}`)
      }
    }
    throw new Error(`the issuer asks and asks: ${page.url()}`)
  }

  /** Does something that leads to another page, and waits for it. */
  leave(act) {
    return Promise.all([this.page.waitForNavigation(), act()])
  }

  /** What the page says, without invisible spaces. */
  async text() {
    return (await this.page.locator('body').innerText()).replace(/\s+/g, ' ').trim()
  }

  async tokens({ clientId, clientSecret, redirectUri }, { nonce, scope = 'openid profile email groups', resource }) {
    const verifier = random()
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    const { issuer, front } = this.installation
    const request = { response_type: 'code', client_id: clientId, redirect_uri: redirectUri, scope, nonce, state: random(),
      code_challenge: challenge, code_challenge_method: 'S256', ...(resource && { resource }) }
    await this.visit(`${issuer}/authorize?${new URLSearchParams(request)}`)
    const code = new URL(this.page.url()).searchParams.get('code')
    if (!code) throw new Error(`no code: ${this.page.url()}`)
    const body = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier,
      client_id: clientId, ...(clientSecret && { client_secret: clientSecret }), ...(resource && { resource }) })
    const answer = await fetch(`http://127.0.0.1:${front.operatorPort}/token`, { method: 'POST', body })
    const tokens = await answer.json()
    if (!answer.ok) throw new Error(`no tokens: ${JSON.stringify(tokens)}`)
    return tokens
  }

  close() {
    return this.context.close()
  }
}
