import { version } from '../support/kit.mjs'
import { webApplication } from '../support/web.mjs'

export const title = 'go-oidc'
export const command = 'go run .'

export async function build(kit) {
  return { binary: await kit.go(), version: version.go(kit.folder, 'github.com/coreos/go-oidc/v3') }
}

export async function run(kit, { binary }) {
  const env = await kit.sample('go-oidc')
  return webApplication(kit, { host: 'go-oidc.example.com', command: binary, args: [], env })
}
