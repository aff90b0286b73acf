// A workload that has the token of its ServiceAccount and no secret, by openid-client: the token stands where a client secret
// would, as a client assertion.
//
//   ISSUER=... CLIENT_ID=... TOKEN=... node account.mjs
//
// Prints one JSON object.
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, TOKEN } = process.env
for (const [name, value] of Object.entries({ ISSUER, CLIENT_ID, TOKEN })) {
  if (!value) throw new Error(`the environment variable ${name} is missing`)
}
const issuer = new URL(ISSUER)
const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(issuer.hostname)
const execute = issuer.protocol === 'http:' && loopback ? [client.allowInsecureRequests] : []

// In a pod, the file of the projected volume is read here, for each request.
const byServiceAccount = (_server, { client_id }, body) => {
  body.set('client_id', client_id)
  body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
  body.set('client_assertion', TOKEN)
}
const metadata = await client.discovery(issuer, CLIENT_ID, undefined, byServiceAccount, { execute })
const answer = await client.clientCredentialsGrant(metadata)
const seen = await client.tokenIntrospection(metadata, answer.access_token)
console.log(JSON.stringify({ active: seen.active, clientId: seen.client_id }))
