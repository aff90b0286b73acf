import { npmVerifier } from '../support/verifier.mjs'

export const title = 'aws-jwt-verify'
export const command = 'node verify.mjs'
export const { build, run } = npmVerifier('aws-jwt-verify')
