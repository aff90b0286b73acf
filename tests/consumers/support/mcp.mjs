// An MCP server of its own, and a client of an SDK that a person gives access to it.
import { bearer, eventually } from './kit.mjs'
import { machineToken } from './orders.mjs'

const HOST = 'mcp.example.com'
const RESOURCE = `https://${HOST}/mcp`
const SERVER = 'tests/consumers/mcp-typescript'

/** `client` is started with the CLIENT_ID and the address of the server; it prints `open <URL>` and `told <what the tool says>`. */
export async function mcp(kit, command, args) {
  await kit.sample('tenant-mcp')
  const secret = await kit.sample('mcp')
  await kit.installation.addPerson('alice-of-mcp', { tenant: 'mcp', username: 'alice' })
  const port = await kit.serve(HOST)
  const env = { ...secret, RESOURCE, PORT: String(port) }
  await kit.start('node', ['server.mjs'], { env, cwd: `${kit.root}/${SERVER}`, url: `http://127.0.0.1:${port}/healthz` })

  const proxied = { ...env, HTTPS_PROXY: kit.installation.front.proxy, NO_PROXY: '127.0.0.1,localhost' }
  const said = (program, pattern) => eventually(`${pattern}`, () => {
    const match = program.said.match(pattern)
    if (match) return match[1]
    throw new Error(program.said)
  })
  const client = await kit.start(command, args, { env: proxied, ready: (program) => said(program, /^open (\S+)$/m), within: 30_000 })
  const alice = await kit.open('alice')
  await alice.visit(await said(client, /^open (\S+)$/m))
  const accepts = await said(client, /^told (.*)$/m)

  const another = await kit.client('not-for-mcp', { tenant: 'mcp', grantTypes: ['client_credentials'] })
  const { status, headers } = await bearer(`http://127.0.0.1:${port}/mcp`, await machineToken(kit, another))
  return { accepts, refuses: `the server, a token for another audience: ${status} ${headers['www-authenticate'].match(/error_description="(.*?)"(?:,|$)/)?.[1]}` }
}
