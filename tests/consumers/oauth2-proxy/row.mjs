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
  const port = await kit.serve('internal.example.com')
  // The variables in which the chart gives it the entries of `config.existingSecret`.
  const env = {
    OAUTH2_PROXY_CLIENT_ID: secret['client-id'],
    OAUTH2_PROXY_CLIENT_SECRET: secret['client-secret'],
    OAUTH2_PROXY_COOKIE_SECRET: secret['cookie-secret'],
  }
  const flags = ['--config', 'oauth2-proxy.cfg', '--oidc-issuer-url', kit.issuer, '--provider-ca-file', kit.ca, '--http-address', `127.0.0.1:${port}`]
  await kit.start(binary, flags, { env, url: `http://127.0.0.1:${port}/ready` })

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
  const bob = await signIn('bob')
  return {
    accepts: `alice of the group ${groups}: ${welcome}, as ${email}`,
    refuses: `bob, who is not in the group: ${(await bob.text()).match(/^403 \w+/)}`,
  }
}
