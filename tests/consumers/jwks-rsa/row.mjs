import { npmVerifier } from '../support/verifier.mjs'

export const title = 'jwks-rsa, with jsonwebtoken'
export const command = 'node verify.mjs'
export const { build, run } = npmVerifier('jwks-rsa')
