// docs/how-to/kubectl-login.md, with the OIDC provider that kubectl itself has in the place of kubelogin.
import { writeFileSync } from 'node:fs'
import { eventually, run as execute, version } from '../support/kit.mjs'

export const title = 'kube-apiserver, kubectl'
export const short = true
export const command = 'kube-apiserver --authentication-config docs/authentication-config.yaml'

export async function build(kit) {
  return { version: version.go(`${kit.root}/cluster`, 'k8s.io/kubernetes') }
}

export async function run(kit) {
  const { installation } = kit
  await installation.kube('create', 'namespace', 'platform')
  const secret = await kit.sample('kubectl', 'platform')
  const client = { clientId: secret.CLIENT_ID, redirectUri: await kit.loopback() }
  const tokens = await kit.people.tokens(client, 'alice', { scope: 'openid profile groups' })

  const whoami = async (clientId, idToken, refreshToken) => {
    const file = `${kit.scratch}/kubeconfig`
    const config = JSON.parse(await installation.kube('config', 'view', '--minify', '--flatten', '--raw', '--output', 'json'))
    const settings = { 'idp-issuer-url': kit.issuer, 'client-id': clientId, 'id-token': idToken, 'refresh-token': refreshToken }
    config.users = [{ name: 'me', user: { 'auth-provider': { name: 'oidc', config: settings } } }]
    config.contexts[0].context.user = 'me'
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
    const answer = await execute(installation.kubectl, ['--kubeconfig', file, 'auth', 'whoami', '--output', 'json'], { env: kit.trust })
    const { username, groups } = JSON.parse(answer).status.userInfo
    return `${username} of ${groups.filter((group) => group.startsWith('clientele:'))}`
  }
  // The API server looks for an issuer that it has not reached every ten seconds.
  const accepts = await eventually('the API server knows the issuer', () => whoami(secret.CLIENT_ID, tokens.id_token, tokens.refresh_token))
  const theirs = await kit.tokensOfAnother()
  const refuses = await whoami('demo.another', theirs.id_token, theirs.refresh_token).catch(({ stderr }) => stderr.trim())
  return { accepts, refuses: `the ID token of another client: ${refuses}` }
}
