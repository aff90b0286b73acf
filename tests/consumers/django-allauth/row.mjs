import { version } from '../support/kit.mjs'
import { webApplication } from '../support/web.mjs'

export const title = 'django-allauth'
export const command = 'python app.py'

export async function build(kit) {
  return { python: await kit.python(), version: version.python(kit.folder, 'django-allauth') }
}

export async function run(kit, { python }) {
  const env = { ...await kit.sample('django-allauth'), DATABASE: `${kit.scratch}/db` }
  return webApplication(kit, { host: 'allauth.example.com', command: python, args: ['app.py'], env, path: '/accounts/oidc/clientele/login/' })
}
