import { version } from '../support/kit.mjs'

export const title = 'oidc-client-ts'
export const command = 'node server.mjs'

export async function build(kit) {
  await kit.npm()
  return { version: version.npm(kit.folder, 'oidc-client-ts') }
}

export async function run(kit) {
  const env = await kit.sample('single-page-app')
  const port = await kit.serve('orders.example.com')
  await kit.start('node', ['server.mjs'], { env: { ...env, PORT: String(port) }, url: `http://127.0.0.1:${port}/` })
  const says = async (person) => {
    const told = person.page.getByText(/Hello|refused/)
    await told.waitFor()
    return told.innerText()
  }
  const alice = await kit.open('alice')
  await alice.page.goto('https://orders.example.com/')
  await alice.leave(() => alice.page.getByRole('button', { name: 'Sign in' }).click())
  await alice.pass()
  const accepts = await says(alice)

  // The library takes the answer of the token endpoint as it is; what it compares is whether the browser asked.
  const another = await kit.open('alice')
  await another.page.goto('https://orders.example.com/?code=of-somebody-else&state=never-sent')
  return { accepts, refuses: `a code for which this browser did not ask: ${await says(another)}` }
}
