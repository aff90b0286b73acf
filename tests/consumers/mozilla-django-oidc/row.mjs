// It does not read the audience of an ID token, so what it must refuse is a sign-in with a wrong client secret.
import { version } from '../support/kit.mjs'
import { wrongSecret } from '../support/web.mjs'

export const title = 'mozilla-django-oidc'
export const command = 'python app.py'

export async function build(kit) {
  return { python: await kit.python(), version: version.python(kit.folder, 'mozilla-django-oidc') }
}

export async function run(kit, { python }) {
  const env = { ...await kit.sample('mozilla-django-oidc'), DATABASE: `${kit.scratch}/db` }
  return wrongSecret(kit, { host: 'mozilla.example.com', command: python, args: ['app.py'], env, path: '/oidc/authenticate/' })
}
