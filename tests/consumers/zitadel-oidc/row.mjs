import { version } from '../support/kit.mjs'
import { webApplication } from '../support/web.mjs'

export const title = 'zitadel/oidc'
export const command = 'go run .'

export async function build(kit) {
  return { binary: await kit.go(), version: version.go(kit.folder, 'github.com/zitadel/oidc/v3') }
}

export async function run(kit, { binary }) {
  const env = await kit.sample('zitadel-oidc')
  return webApplication(kit, { host: 'zitadel.example.com', command: binary, args: [], env })
}
