import { version } from '../support/kit.mjs'

export const title = 'openid-client'
export const short = true
export const command = 'node examples/web-app/server.mjs'

const APP = 'examples/web-app'

export async function build(kit) {
  await kit.npm(`${kit.root}/${APP}`)
  return { version: version.npm(`${kit.root}/${APP}`, 'openid-client') }
}

export async function run(kit) {
  const secret = await kit.sample('web-app')
  const port = await kit.serve('orders.example.com')
  const env = { ...secret, APP_URL: 'https://orders.example.com', HOST: '127.0.0.1', PORT: String(port) }
  const application = await kit.start('node', [`${APP}/server.mjs`], { env, cwd: kit.root, url: `http://127.0.0.1:${port}/healthz` })
  const alice = await kit.open('alice')
  await alice.visit('https://orders.example.com/login')
  const accepts = await alice.page.locator('h1').innerText()
  await kit.picture(alice)

  await kit.wrongAudience()
  const again = await kit.open('alice')
  await again.visit('https://orders.example.com/login')
  const why = application.said.match(/GET \/callback: (.*)/)?.[1]
  return { accepts, refuses: `the ID token of another client: ${await again.page.locator('h1').innerText()} (${why})` }
}
