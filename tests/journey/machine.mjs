// What a machine client does, by libraries that others wrote: openid-client discovers the server and asks for tokens,
// jose verifies them. Credentials come from the environment, because anybody may read the arguments of a process.
//
//   ISSUER=... CLIENT_ID=... CLIENT_SECRET=... [AUDIENCE=...] [SCOPE=...] node machine.mjs
//
// AUDIENCE is what the access token must be for (default: the issuer); it is asked for by `resource` when it is given.
// Prints one JSON object. NODE_EXTRA_CA_CERTS names the CA of an https issuer that the system does not know.
import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, AUDIENCE, SCOPE } = process.env
for (const [name, value] of Object.entries({ ISSUER, CLIENT_ID, CLIENT_SECRET })) {
  if (!value) throw new Error(`the environment variable ${name} is missing`)
}

// openid-client speaks https only, unless told otherwise. Loopback is the one place where plain http is right.
const issuer = new URL(ISSUER)
const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(issuer.hostname)
const execute = issuer.protocol === 'http:' && loopback ? [client.allowInsecureRequests] : []

const parameters = {
  ...(AUDIENCE && { resource: AUDIENCE }),
  ...(SCOPE && { scope: SCOPE }),
}

async function tokenBy(algorithm, authentication) {
  const metadata = await client.discovery(issuer, CLIENT_ID, undefined, authentication, { algorithm, execute })
  const answer = await client.clientCredentialsGrant(metadata, parameters)
  const server = metadata.serverMetadata()
  const { payload, protectedHeader } = await jwtVerify(
    answer.access_token,
    createRemoteJWKSet(new URL(server.jwks_uri)),
    {
      issuer: ISSUER,
      audience: AUDIENCE ?? ISSUER,
      subject: CLIENT_ID,
      typ: 'at+jwt',
      requiredClaims: ['client_id', 'exp', 'iat', 'jti'],
    },
  )
  return { alg: protectedHeader.alg, kid: protectedHeader.kid, expiresIn: answer.expires_in, claims: payload }
}

/** A wrong secret must be refused as RFC 6749 section 5.2 says: 401, a challenge, and an error code in the body. */
async function refusal(secret) {
  try {
    await tokenBy('oidc', client.ClientSecretBasic(secret))
  } catch (error) {
    if (!(error instanceof client.WWWAuthenticateChallengeError)) throw error
    const { error: code } = await error.response.json()
    return { status: error.status, scheme: error.cause[0].scheme, error: code }
  }
  throw new Error('a wrong client secret was accepted')
}

console.log(JSON.stringify({
  basic: await tokenBy('oidc', client.ClientSecretBasic(CLIENT_SECRET)),
  post: await tokenBy('oauth2', client.ClientSecretPost(CLIENT_SECRET)),
  wrongSecret: await refusal(`${CLIENT_SECRET}x`),
}))
