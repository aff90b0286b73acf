import { version } from '../support/kit.mjs'
import { verify } from '../support/verifier.mjs'

export const title = 'PyJWT'
export const command = 'python verify.py'

export async function build(kit) {
  return { python: await kit.python(), version: version.python(kit.folder, 'PyJWT') }
}

export const run = (kit, { python }) => verify(kit, python, ['verify.py'])
