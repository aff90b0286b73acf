import { version } from '../support/kit.mjs'
import { webApplication } from '../support/web.mjs'

export const title = 'HashiCorp cap'
export const command = 'go run .'

export async function build(kit) {
  return { binary: await kit.go(), version: version.go(kit.folder, 'github.com/hashicorp/cap') }
}

export async function run(kit, { binary }) {
  const env = await kit.sample('cap')
  return webApplication(kit, { host: 'cap.example.com', command: binary, args: [], env })
}
