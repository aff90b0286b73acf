import { run as execute, version } from '../support/kit.mjs'
import { orders } from '../support/orders.mjs'

export const title = 'PyJWT'
export const command = 'python verify.py'

export async function build(kit) {
  return { python: await kit.python(), version: version.python(kit.folder, 'PyJWT') }
}

export async function run(kit, { python }) {
  const { secret, good, wrong } = await orders(kit)
  const verify = (token) => execute(python, ['verify.py'], { cwd: kit.folder, env: { ...kit.trust, ...secret }, input: token })
  return { accepts: (await verify(good)).trim(), refuses: (await verify(wrong)).trim() }
}
