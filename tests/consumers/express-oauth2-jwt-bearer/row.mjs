import { bearer, version } from '../support/kit.mjs'
import { orders } from '../support/orders.mjs'

export const title = 'express-oauth2-jwt-bearer'
export const command = 'node server.mjs'

export async function build(kit) {
  await kit.npm()
  return { version: version.npm(kit.folder, 'express-oauth2-jwt-bearer') }
}

export async function run(kit) {
  const { secret, good, wrong } = await orders(kit)
  const port = await kit.port()
  const url = `http://127.0.0.1:${port}/`
  await kit.start('node', ['server.mjs'], { env: { ...secret, PORT: String(port) }, url: `${url}healthz` })
  const told = async (token) => {
    const { status, body } = await bearer(url, token)
    return `${status} ${body}`
  }
  return { accepts: await told(good), refuses: await told(wrong) }
}
