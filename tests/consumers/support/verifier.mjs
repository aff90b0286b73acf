// Libraries that verify the access tokens of an API: a script reads a token and prints what it makes of it.
import { run, version } from './kit.mjs'
import { orders } from './orders.mjs'

/** What the script says to a token for the API, and to one that is for another. */
export async function verify(kit, command, args) {
  const { secret, good, wrong } = await orders(kit)
  const says = async (token) => (await run(command, args, { cwd: kit.folder, env: { ...kit.trust, ...secret }, input: token })).trim()
  return { accepts: await says(good), refuses: await says(wrong) }
}

/** A package of npm whose verify.mjs is such a script. */
export const npmVerifier = (name) => ({
  async build(kit) {
    await kit.npm()
    return { version: version.npm(kit.folder, name) }
  },
  run: (kit) => verify(kit, 'node', ['verify.mjs']),
})
