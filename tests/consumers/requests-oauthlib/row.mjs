// An OAuth library: it reads no ID token, so what it must refuse is a sign-in with a wrong client secret.
import { version } from '../support/kit.mjs'
import { wrongSecret } from '../support/web.mjs'

export const title = 'requests-oauthlib'
export const command = 'python app.py'

export async function build(kit) {
  return { python: await kit.python(), version: version.python(kit.folder, 'requests-oauthlib') }
}

export async function run(kit, { python }) {
  const env = await kit.sample('requests-oauthlib')
  return wrongSecret(kit, { host: 'requests.example.com', command: python, args: ['app.py'], env })
}
