// The tokens that a person gets for a public client, and nothing done with them.
//
//   ISSUER CLIENT_ID REDIRECT_URI SCOPE USERNAME PASSWORD node tokens.mjs
//
// Prints them as one JSON object.
import * as client from 'openid-client'
import { Person } from './person.mjs'

const { ISSUER, CLIENT_ID, REDIRECT_URI, SCOPE, USERNAME, PASSWORD } = process.env
const configuration = await client.discovery(new URL(ISSUER), CLIENT_ID, undefined, client.None())
const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedState = client.randomState()
const url = client.buildAuthorizationUrl(configuration, {
  redirect_uri: REDIRECT_URI,
  scope: SCOPE,
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
  state: expectedState,
})
const back = await new Person({ username: USERNAME, password: PASSWORD }).visit(url, REDIRECT_URI)
console.log(JSON.stringify(await client.authorizationCodeGrant(configuration, new URL(back.url), { pkceCodeVerifier, expectedState, idTokenExpected: true })))
