// An API's check of an access token, as the documentation of aws-jwt-verify has it: "Verifying JWTs from any OIDC-compatible IDP".
import { readFileSync } from 'node:fs'
import { JwtVerifier } from 'aws-jwt-verify'

const { ISSUER, JWKS_URI } = process.env
const verifier = JwtVerifier.create({ issuer: ISSUER, audience: 'https://api.orders.example.com', jwksUri: JWKS_URI })
try {
  const claims = await verifier.verify(readFileSync(0, 'utf8').trim())
  console.log(claims.client_id, claims.scope)
} catch (error) {
  console.log(`${error.name}: ${error.message}`)
}
