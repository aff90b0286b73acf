// An MCP client on the computer of a person, by the MCP SDK for TypeScript, with a client ID that was registered for it. Prints the
// address to open in a browser, and then what the tool of the server says.
import { createServer } from 'node:http'
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { EnvHttpProxyAgent, setGlobalDispatcher } from 'undici'

// HTTPS_PROXY, which Node.js 20 does not read by itself.
setGlobalDispatcher(new EnvHttpProxyAgent())

const { CLIENT_ID, RESOURCE } = process.env
let arrived
const code = new Promise((resolve, reject) => {
  arrived = (url) => url.searchParams.has('code') ? resolve(url.searchParams.get('code')) : reject(new Error(url.searchParams.get('error_description')))
})
const listener = createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost')
  if (url.pathname !== '/callback') return response.writeHead(404).end()
  response.end('You may close this window.')
  arrived(url)
})
await new Promise((resolve) => listener.listen(0, 'localhost', resolve))

const held = {}
const provider = {
  redirectUrl: `http://localhost:${listener.address().port}/callback`,
  clientMetadata: { client_name: 'Assistant', redirect_uris: [], grant_types: ['authorization_code', 'refresh_token'], token_endpoint_auth_method: 'none' },
  clientInformation: () => ({ client_id: CLIENT_ID }),
  tokens: () => held.tokens,
  saveTokens: (tokens) => { held.tokens = tokens },
  redirectToAuthorization: (url) => console.log(`open ${url}`),
  saveCodeVerifier: (verifier) => { held.verifier = verifier },
  codeVerifier: () => held.verifier,
}
const connect = async () => {
  const transport = new StreamableHTTPClientTransport(new URL(RESOURCE), { authProvider: provider })
  const client = new Client({ name: 'assistant', version: '1' })
  return client.connect(transport).then(() => client, (error) => { throw Object.assign(error, { transport }) })
}
const client = await connect().catch(async (error) => {
  if (!(error instanceof UnauthorizedError)) throw error
  await error.transport.finishAuth(await code)
  return connect()
})
const { content } = await client.callTool({ name: 'whoami' })
console.log(`told ${content[0].text}`)
await client.close()
listener.close()
