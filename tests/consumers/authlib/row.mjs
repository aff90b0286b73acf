import { version } from '../support/kit.mjs'
import { webApplication } from '../support/web.mjs'

export const title = 'Authlib'
export const short = true
export const command = 'python app.py'

export async function build(kit) {
  return { python: await kit.python(), version: version.python(kit.folder, 'Authlib') }
}

export async function run(kit, { python }) {
  const env = await kit.sample('authlib')
  return webApplication(kit, { host: 'authlib.example.com', command: python, args: ['app.py'], env, path: '/login' })
}
