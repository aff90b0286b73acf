// An API's check of an access token, as the documentation of jwks-rsa has it: its example with jsonwebtoken.
import { readFileSync } from 'node:fs'
import jwt from 'jsonwebtoken'
import jwksClient from 'jwks-rsa'

const client = jwksClient({ jwksUri: process.env.JWKS_URI })
const getKey = (header, callback) => client.getSigningKey(header.kid).then((key) => callback(null, key.getPublicKey()), callback)

const expected = { algorithms: ['ES256'], audience: 'https://api.orders.example.com', issuer: process.env.ISSUER }
jwt.verify(readFileSync(0, 'utf8').trim(), getKey, expected, (error, claims) => {
  console.log(error ? `${error.name}: ${error.message}` : `${claims.client_id} ${claims.scope}`)
})
