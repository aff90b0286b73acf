import { version } from '../support/kit.mjs'
import { webApplication } from '../support/web.mjs'

export const title = 'Python Social Auth (social-core)'
export const command = 'python app.py'

export async function build(kit) {
  return { python: await kit.python(), version: version.python(kit.folder, 'social-auth-core') }
}

export async function run(kit, { python }) {
  const env = { ...await kit.sample('social-core'), DATABASE: `${kit.scratch}/db` }
  return webApplication(kit, { host: 'social.example.com', command: python, args: ['app.py'], env, sign })
}

async function sign(person) {
  await person.page.goto('https://social.example.com/')
  await person.leave(() => person.page.getByRole('button', { name: 'Sign in' }).click())
  await person.pass()
}
