import { version } from '../support/kit.mjs'
import { webApplication } from '../support/web.mjs'

export const title = 'Auth.js'
export const command = 'node server.mjs'

export async function build(kit) {
  await kit.npm()
  return { version: version.npm(kit.folder, '@auth/express') }
}

export async function run(kit) {
  const env = await kit.sample('auth-js')
  return webApplication(kit, { host: 'authjs.example.com', command: 'node', args: ['server.mjs'], env, sign })
}

/** The page of Auth.js has a button for each provider. */
async function sign(person, kit) {
  const { page } = person
  await page.goto('https://authjs.example.com/auth/signin?callbackUrl=https://authjs.example.com/')
  await kit.picture(person)
  await person.leave(() => page.getByRole('button', { name: 'Clientele' }).click())
  await person.pass()
}
