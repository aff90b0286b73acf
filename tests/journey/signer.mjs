// A machine client that has a key and no secret, by libraries that others wrote: openid-client signs the assertions.
//
//   ISSUER=... CLIENT_ID=... ALG=... KEY_ID=... PRIVATE_KEY=<PKCS#8 in base64> node signer.mjs
//
// Prints one JSON object. NODE_EXTRA_CA_CERTS names the CA of an https issuer that the system does not know.
import { createRemoteJWKSet, importPKCS8, jwtVerify } from 'jose'
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, ALG, KEY_ID, PRIVATE_KEY } = process.env
for (const [name, value] of Object.entries({ ISSUER, CLIENT_ID, ALG, KEY_ID, PRIVATE_KEY })) {
  if (!value) throw new Error(`the environment variable ${name} is missing`)
}
const issuer = new URL(ISSUER)
const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(issuer.hostname)
const execute = issuer.protocol === 'http:' && loopback ? [client.allowInsecureRequests] : []

const pem = `-----BEGIN PRIVATE KEY-----\n${PRIVATE_KEY}\n-----END PRIVATE KEY-----`
const key = await importPKCS8(pem, ALG)
const signing = client.PrivateKeyJwt({ key, kid: KEY_ID })
const metadata = await client.discovery(issuer, CLIENT_ID, undefined, signing, { execute })
const answer = await client.clientCredentialsGrant(metadata)
const server = metadata.serverMetadata()
const { payload } = await jwtVerify(answer.access_token, createRemoteJWKSet(new URL(server.jwks_uri)), {
  issuer: ISSUER,
  audience: ISSUER,
  subject: CLIENT_ID,
  typ: 'at+jwt',
})
const seen = await client.tokenIntrospection(metadata, answer.access_token)
await client.tokenRevocation(metadata, answer.access_token)
const afterwards = await client.tokenIntrospection(metadata, answer.access_token)
console.log(JSON.stringify({
  methods: server.token_endpoint_auth_methods_supported,
  clientId: payload.client_id,
  active: [seen.active, afterwards.active],
}))
