import { mkdirSync, writeFileSync } from 'node:fs'
import { version } from '../support/kit.mjs'

export const title = 'mod_auth_openidc'
export const short = true
export const command = 'apache2 -f httpd.conf'

/** The lock file is Debian's: the version is that of the release. */
export async function build() {
  return { version: await version.debian('libapache2-mod-auth-openidc') }
}

export async function run(kit) {
  const secret = await kit.sample('mod-auth-openidc')
  const port = await kit.serve('intranet.example.com')
  mkdirSync(`${kit.scratch}/htdocs`)
  writeFileSync(`${kit.scratch}/htdocs/index.html`, 'Hello, <!--#echo var="REMOTE_USER" --> of the group <!--#echo var="OIDC_CLAIM_groups" -->\n')
  writeFileSync(`${kit.scratch}/openidc.conf`, secret['openidc.conf'], { mode: 0o600 })
  const definitions = { ROOT: kit.scratch, PORT: port, CA: kit.ca, PASSPHRASE: 'a passphrase of this run'.replaceAll(' ', '-') }
  const flags = Object.entries(definitions).flatMap(([name, value]) => ['-C', `Define ${name} ${value}`])
  await kit.start('/usr/sbin/apache2', ['-DFOREGROUND', ...flags, '-f', `${kit.folder}/httpd.conf`], { url: `http://127.0.0.1:${port}/` })

  const alice = await kit.open('alice')
  await alice.visit('https://intranet.example.com/index.html')
  const accepts = await alice.text()
  const bob = await kit.open('bob')
  await bob.visit('https://intranet.example.com/index.html')
  return { accepts, refuses: `bob, who is not in the group: ${await bob.page.locator('h1').innerText()}` }
}
