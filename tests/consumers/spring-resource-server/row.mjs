import { bearer, version } from '../support/kit.mjs'
import { machineToken } from '../support/orders.mjs'
import { trustStore } from '../support/java.mjs'

export const title = 'Spring Boot resource server, 4'
export const short = true
export const command = 'java -jar app.jar'

export async function build(kit) {
  return { jar: await kit.maven('../spring-resource-server/src'), version: version.maven(kit.folder) }
}

export async function run(kit, { jar }) {
  await kit.sample('tenant-petclinic')
  const audience = 'https://petclinic.example.com'
  const spec = { tenant: 'petclinic', grantTypes: ['client_credentials'] }
  const caller = await kit.client(`caller-of-${kit.name}`, { ...spec, audiences: [audience] })
  const other = await kit.client(`not-for-${kit.name}`, spec)
  const port = await kit.port()
  const url = `http://127.0.0.1:${port}/`
  const env = { ISSUER: caller.ISSUER, AUDIENCE: audience, SERVER_PORT: String(port), SPRING_PROFILES_ACTIVE: 'rfc9068' }
  await kit.start('java', [...await trustStore(kit), '-jar', jar], { env, url, within: 120_000 })
  const told = async (token) => {
    const { status, headers, body } = await bearer(url, token)
    return `${status} ${body || headers['www-authenticate']?.match(/error_description="(.*?)"/)?.[1]}`
  }
  return {
    accepts: await told(await machineToken(kit, caller, { resource: audience })),
    refuses: `a token for another audience: ${await told(await machineToken(kit, other))}`,
  }
}
