// The tokens that a person gets for a public client, and nothing done with them. By hand, as kubelogin does it: its redirect
// URIs have no path, and openid-client would ask for its tokens with one.
//
//   ISSUER CLIENT_ID REDIRECT_URI SCOPE USERNAME PASSWORD node tokens.mjs
//
// Prints the token response.
import { createHash, randomBytes } from 'node:crypto'
import { Person } from './person.mjs'

const { ISSUER, CLIENT_ID, REDIRECT_URI, SCOPE, USERNAME, PASSWORD } = process.env
const metadata = await (await fetch(`${ISSUER}/.well-known/openid-configuration`)).json()
const verifier = randomBytes(32).toString('base64url')
const state = randomBytes(16).toString('base64url')
const url = new URL(metadata.authorization_endpoint)
url.search = new URLSearchParams({
  response_type: 'code',
  client_id: CLIENT_ID,
  redirect_uri: REDIRECT_URI,
  scope: SCOPE,
  state,
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
})
const back = new URL((await new Person({ username: USERNAME, password: PASSWORD }).visit(url, REDIRECT_URI)).url)
const response = Object.fromEntries(back.searchParams)
if (response.state !== state || response.iss !== ISSUER) throw new Error(`the browser ended at ${back}`)
const answer = await fetch(metadata.token_endpoint, {
  method: 'POST',
  body: new URLSearchParams({ grant_type: 'authorization_code', client_id: CLIENT_ID, code: response.code, redirect_uri: REDIRECT_URI, code_verifier: verifier }),
})
if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`)
console.log(await answer.text())
