import { version } from '../support/kit.mjs'
import { trustStore } from '../support/java.mjs'

export const title = 'Spring Boot OAuth 2 client, 4'
export const command = 'java -jar app.jar'

export async function build(kit) {
  return { jar: await kit.maven('../spring-client/src'), version: version.maven(kit.folder) }
}

export async function run(kit, { jar }) {
  const secret = await kit.sample('spring-boot')
  const port = await kit.serve('petclinic.example.com')
  const env = { ...secret, SERVER_PORT: String(port) }
  await kit.start('java', [...await trustStore(kit), '-jar', jar], { env, url: `http://127.0.0.1:${port}/`, within: 120_000 })
  const alice = await kit.open('alice')
  await alice.visit('https://petclinic.example.com/')
  const accepts = await alice.text()

  await kit.wrongAudience()
  const again = await kit.open('alice')
  await again.visit('https://petclinic.example.com/')
  return { accepts, refuses: `the ID token of another client: ${await again.page.getByText('Invalid credentials').innerText()}` }
}
