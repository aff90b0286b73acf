import { version } from '../support/kit.mjs'
import { webApplication } from '../support/web.mjs'

export const title = 'passport-openidconnect'
export const command = 'node server.mjs'

export async function build(kit) {
  await kit.npm()
  return { version: version.npm(kit.folder, 'passport-openidconnect') }
}

export async function run(kit) {
  const env = await kit.sample('passport-openidconnect')
  return webApplication(kit, { host: 'passport.example.com', command: 'node', args: ['server.mjs'], env })
}
