import { version } from '../support/kit.mjs'

export const title = 'oauth2-proxy'
export const short = true
export const command = 'oauth2-proxy --config oauth2-proxy.cfg'

export async function build(kit) {
  const path = 'github.com/oauth2-proxy/oauth2-proxy/v7'
  return { binary: await kit.go(path), version: version.go(kit.folder, path) }
}

export async function run(kit, { binary }) {
  const secret = await kit.sample('oauth2-proxy')
  // The variables in which the chart gives it the entries of `config.existingSecret`.
  const env = {
    OAUTH2_PROXY_CLIENT_ID: secret['client-id'],
    OAUTH2_PROXY_CLIENT_SECRET: secret['client-secret'],
    OAUTH2_PROXY_COOKIE_SECRET: secret['cookie-secret'],
  }
  const start = async (...more) => {
    const port = await kit.serve('internal.example.com')
    const logout = `${kit.issuer}/logout?id_token_hint={id_token}`
    const flags = ['--backend-logout-url', logout, '--config', 'oauth2-proxy.cfg', '--oidc-issuer-url', kit.issuer, '--provider-ca-file', kit.ca, '--http-address', `127.0.0.1:${port}`]
    await kit.start(binary, [...flags, ...more], { env, url: `http://127.0.0.1:${port}/ready` })
  }
  await start()

  const signIn = async (username) => {
    const person = await kit.open(username)
    await person.visit('https://internal.example.com/')
    if (await person.page.getByRole('button', { name: /Sign in with/ }).count()) {
      if (username === 'alice') await kit.picture(person)
      await person.leave(() => person.page.getByRole('button', { name: /Sign in with/ }).click())
      await person.pass()
    }
    return person
  }
  const alice = await signIn('alice')
  const welcome = await alice.text()
  await alice.page.goto('https://internal.example.com/oauth2/userinfo')
  const { email, groups } = JSON.parse(await alice.text())
  await alice.page.goto('https://internal.example.com/oauth2/sign_out')
  await alice.page.goto('https://internal.example.com/')
  await alice.leave(() => alice.page.getByRole('button', { name: /Sign in with/ }).click())
  const signedOut = await alice.page.locator('input[name=password]').count() === 1
  // Her manifest does not say whether the address is verified.
  const carol = await signIn('carol')
  const bob = await signIn('bob')
  // A person without an e-mail address, who is known by the username.
  await kit.installation.addPerson('dave', { groups: ['orders'] })
  await start('--oidc-email-claim', 'preferred_username')
  const dave = await signIn('dave')
  return {
    accepts: `alice of the group ${groups}: ${welcome}, as ${email}; after sign_out the issuer ${signedOut ? 'asks for the password again' : 'still knows her'}; carol, of whose address nothing is said: ${await carol.text()}; dave, who has none, by oidc-email-claim: ${await dave.text()}`,
    refuses: `bob, who is not in the group: ${(await bob.text()).match(/^403 \w+/)}`,
  }
}
