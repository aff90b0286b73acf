// What an application does for people, by libraries that others wrote: openid-client speaks the protocol and verifies
// every ID token's signature, jose verifies it again. The person is person.mjs.
//
//   ISSUER CLIENT_ID [CLIENT_SECRET] METHOD=basic|post|none REDIRECT_URI POST_LOGOUT_REDIRECT_URI USERNAME PASSWORD
//   [ID_TOKEN_ALG=RS256] [RESPONSE_MODE=query|form_post] [SCOPE] node sign_in.mjs
//
// by the environment, because anybody may read the arguments of a process. Prints one JSON object. The application is
// not there: the person stops where the browser would open it.
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as client from 'openid-client'
import { Person } from './person.mjs'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, METHOD, REDIRECT_URI, POST_LOGOUT_REDIRECT_URI, USERNAME, PASSWORD } = process.env
const { ID_TOKEN_ALG = 'RS256', RESPONSE_MODE = 'query', SCOPE = 'openid profile email' } = process.env

const authentication = {
  basic: () => client.ClientSecretBasic(CLIENT_SECRET),
  post: () => client.ClientSecretPost(CLIENT_SECRET),
  none: () => client.None(),
}[METHOD]()
const issuer = new URL(ISSUER)
const execute = [client.enableNonRepudiationChecks, ...(issuer.protocol === 'http:' ? [client.allowInsecureRequests] : [])]
const configuration = await client.discovery(issuer, CLIENT_ID, { id_token_signed_response_alg: ID_TOKEN_ALG }, authentication, { execute })
const keys = createRemoteJWKSet(new URL(configuration.serverMetadata().jwks_uri))
const person = new Person({ username: USERNAME, password: PASSWORD })

/** Asks for authorization; returns the response as the application would get it, and what the person met on the way. */
async function authorize(parameters = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const checks = { pkceCodeVerifier, expectedState: client.randomState(), expectedNonce: client.randomNonce(), idTokenExpected: true }
  const url = client.buildAuthorizationUrl(configuration, {
    redirect_uri: REDIRECT_URI,
    scope: SCOPE,
    response_mode: RESPONSE_MODE,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...parameters,
  })
  const { url: sentTo, form, met, title } = await person.visit(url, REDIRECT_URI)
  if (!sentTo.startsWith(REDIRECT_URI)) throw new Error(`the person ended at ${sentTo}: ${title}`)
  // Made again at each use: a body can be read only once.
  const response = () => form ? new Request(sentTo, { method: 'POST', body: new URLSearchParams(form) }) : new URL(sentTo)
  return { met, posted: Boolean(form), redeem: () => client.authorizationCodeGrant(configuration, response(), checks) }
}

/** Everything an application can see of what it was given. */
async function looked(tokens) {
  const { payload, protectedHeader } = await jwtVerify(tokens.id_token, keys, { issuer: ISSUER, audience: CLIENT_ID, algorithms: [ID_TOKEN_ALG] })
  return {
    algorithm: protectedHeader.alg,
    claims: payload,
    scope: tokens.scope,
    expiresIn: tokens.expires_in,
    userinfo: await client.fetchUserInfo(configuration, tokens.access_token, payload.sub),
  }
}

/** Which of an application's ways to use tokens still work. */
async function alive(tokens) {
  const works = (promise) => promise.then(() => true, (error) => {
    if (error instanceof client.WWWAuthenticateChallengeError) return error.cause[0].parameters.error
    if (error instanceof client.ResponseBodyError) return error.error
    throw error
  })
  return {
    userinfo: await works(client.fetchUserInfo(configuration, tokens.access_token, client.skipSubjectCheck)),
    refresh: await works(client.refreshTokenGrant(configuration, tokens.refresh_token)),
    // A public client proves nothing, and may not ask.
    ...(CLIENT_SECRET && { introspection: (await client.tokenIntrospection(configuration, tokens.access_token)).active }),
  }
}

/** A refresh token works once. One that comes back later ends the grant (RFC 9700 section 4.14.2). */
async function rotation(first) {
  const second = await client.refreshTokenGrant(configuration, first.refresh_token)
  const third = await client.refreshTokenGrant(configuration, second.refresh_token)
  const different = new Set([first, second, third].map((tokens) => tokens.refresh_token)).size === 3
  const seen = await looked(third)
  const reused = await client.refreshTokenGrant(configuration, first.refresh_token).catch((error) => error.error)
  return { different, subject: seen.userinfo.sub, authTime: seen.claims.auth_time, reused, after: await alive(third) }
}

/** RFC 7009: the refresh token is revoked, and with it everything of its grant. */
async function revocation(tokens) {
  await client.tokenRevocation(configuration, tokens.refresh_token, { token_type_hint: 'refresh_token' })
  return alive(tokens)
}

/** RFC 6749 section 4.1.2: a code that comes twice ends what came of the first time. */
async function replay({ redeem }) {
  const tokens = await redeem()
  const again = await redeem().catch((error) => error.error)
  return { again, after: await alive(tokens) }
}

async function logout(tokens) {
  const state = client.randomState()
  const url = client.buildEndSessionUrl(configuration, { id_token_hint: tokens.id_token, post_logout_redirect_uri: POST_LOGOUT_REDIRECT_URI, state })
  const { url: sentTo, met } = await person.visit(url, POST_LOGOUT_REDIRECT_URI)
  const silent = await authorize({ prompt: 'none' })
  return {
    met,
    state: new URL(sentTo).searchParams.get('state') === state,
    silently: await silent.redeem().catch((error) => error.error),
    after: await alive(tokens),
  }
}

const first = await authorize()
const tokens = await first.redeem()
const seen = { met: first.met, posted: first.posted, first: await looked(tokens) }
if (CLIENT_SECRET) seen.introspection = await client.tokenIntrospection(configuration, tokens.access_token)
seen.rotation = await rotation(tokens)
const again = await authorize()
seen.metAgain = again.met
seen.revocation = await revocation(await again.redeem())
seen.replay = await replay(await authorize())
seen.logout = await logout(await (await authorize()).redeem())
console.log(JSON.stringify(seen))
