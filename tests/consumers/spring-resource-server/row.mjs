// Both ways of docs/consumers/spring-resource-server.md: the API as Spring Boot configures it, for a tenant of
// `accessTokens.type: JWT`; and with a decoder of its own (the profile rfc9068), for an audience of `type: at+jwt`.
import { bearer, version } from '../support/kit.mjs'
import { machineToken } from '../support/orders.mjs'
import { trustStore } from '../support/java.mjs'

export const title = 'Spring Boot resource server, 4'
export const short = true
export const command = 'java -jar app.jar'

const RFC9068 = 'https://petclinic.example.com'
const JWT = 'https://visits.petclinic.example.com'

export async function build(kit) {
  return { jar: await kit.maven('../spring-resource-server/src'), version: version.maven(kit.folder) }
}

/** An API for this audience; returns a function that says what it answers to a token. */
async function api(kit, jar, { issuer, audience, profile }) {
  const port = await kit.port()
  const url = `http://127.0.0.1:${port}/`
  const env = { ISSUER: issuer, AUDIENCE: audience, SERVER_PORT: String(port), SPRING_PROFILES_ACTIVE: profile }
  await kit.start('java', [...await trustStore(kit, profile), '-jar', jar], { env, url, within: 120_000 })
  return async (token) => {
    const { status, headers, body } = await bearer(url, token)
    return `${status} ${body || headers['www-authenticate']?.match(/error_description="(.*?)"/)?.[1]}`
  }
}

export async function run(kit, { jar }) {
  await kit.sample('tenant-petclinic')
  const spec = { tenant: 'petclinic', grantTypes: ['client_credentials'] }
  const caller = await kit.client(`caller-of-${kit.name}`, { ...spec, audiences: [RFC9068, JWT] })
  const other = await kit.client(`not-for-${kit.name}`, spec)
  const token = (resource) => machineToken(kit, caller, { resource })
  const [byDefault, byDecoder] = await Promise.all([
    api(kit, jar, { issuer: caller.ISSUER, audience: JWT, profile: 'default' }),
    api(kit, jar, { issuer: caller.ISSUER, audience: RFC9068, profile: 'rfc9068' }),
  ])
  const elsewhere = await machineToken(kit, other)
  return {
    accepts: `type: JWT, by default: ${await byDefault(await token(JWT))}; at+jwt, by a decoder of its own: ${await byDecoder(await token(RFC9068))}`,
    refuses: `a token for another audience: ${await byDefault(elsewhere)}; at+jwt, by default: ${await byDefault(await token(RFC9068))}; type: JWT, by the decoder for at+jwt: ${await byDecoder(await token(JWT))}`,
  }
}
