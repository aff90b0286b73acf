// Everything that concerns OpenID Connect, by openid-client. Nothing in it is particular to Clientele: the Secret that
// lies beside the OAuthClient says where the issuer is and who we are, and discovery says the rest.
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, CLIENT_SECRET } = process.env
for (const [name, value] of Object.entries({ ISSUER, CLIENT_ID, CLIENT_SECRET })) {
  if (!value) throw new Error(`${name} is missing: the Secret of the OAuthClient has it, for envFrom`)
}

/** What the application asks for. There is a refresh token without `offline_access`, too; it ends at sign-out. */
const SCOPE = 'openid profile email'

// https only; plain http is right on loopback and nowhere else.
const issuer = new URL(ISSUER)
const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(issuer.hostname)
const execute = issuer.protocol === 'http:' && loopback ? [client.allowInsecureRequests] : []

let discovered
/** The issuer's metadata: asked for at first use, so that the application starts without the issuer. */
function provider() {
  discovered ??= client.discovery(issuer, CLIENT_ID, undefined, client.ClientSecretBasic(CLIENT_SECRET), { execute })
  discovered.catch(() => { discovered = undefined })
  return discovered
}

/** Where to send the person, and what to remember until they come back. */
export async function begin(redirectUri) {
  const memory = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
  }
  const url = client.buildAuthorizationUrl(await provider(), {
    redirect_uri: redirectUri,
    scope: SCOPE,
    code_challenge: await client.calculatePKCECodeChallenge(memory.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: memory.expectedState,
    nonce: memory.expectedNonce,
  })
  return { url, memory }
}

/** The person is back: the code becomes tokens. */
export async function finish(currentUrl, memory) {
  return tokens(await client.authorizationCodeGrant(await provider(), currentUrl, { ...memory, idTokenExpected: true }))
}

/** Who the person is, now. An access token that has ended is renewed first. */
export async function person(held) {
  const configuration = await provider()
  if (Date.now() >= held.expiresAt) {
    const fresh = tokens(await client.refreshTokenGrant(configuration, held.refreshToken))
    Object.assign(held, fresh, { idToken: fresh.idToken ?? held.idToken, claims: fresh.claims ?? held.claims })
  }
  return client.fetchUserInfo(configuration, held.accessToken, held.claims.sub)
}

/** Where to send the person to sign out there, too. */
export async function end(held, postLogoutRedirectUri) {
  return client.buildEndSessionUrl(await provider(), {
    id_token_hint: held.idToken,
    post_logout_redirect_uri: postLogoutRedirectUri,
  })
}

/** What the application keeps. Renewed half a minute early, because clocks differ. */
function tokens(answer) {
  return {
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token,
    idToken: answer.id_token,
    claims: answer.claims(),
    expiresAt: Date.now() + (answer.expires_in - 30) * 1000,
  }
}
