// An MCP server with one tool, by the MCP SDK for TypeScript: a resource server that knows its issuer by name only.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import express from 'express'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const { ISSUER, JWKS_URI, PORT, RESOURCE } = process.env
const keys = createRemoteJWKSet(new URL(JWKS_URI))
const metadata = new URL(`/.well-known/oauth-protected-resource${new URL(RESOURCE).pathname}`, RESOURCE)

const verifier = {
  async verifyAccessToken(token) {
    try {
      const { payload } = await jwtVerify(token, keys, { issuer: ISSUER, audience: RESOURCE, typ: 'at+jwt' })
      return { token, clientId: payload.client_id, scopes: payload.scope?.split(' ') ?? [], expiresAt: payload.exp, resource: new URL(RESOURCE), extra: { sub: payload.sub } }
    } catch (error) {
      throw new InvalidTokenError(error.message)
    }
  },
}

const app = express()
app.get('/healthz', (_, response) => response.send('ok'))
app.get(metadata.pathname, (_, response) => response.json({ resource: RESOURCE, authorization_servers: [ISSUER], scopes_supported: ['openid'] }))
app.use('/mcp', requireBearerAuth({ verifier, resourceMetadataUrl: metadata.href, expectedResource: new URL(RESOURCE) }))
app.post('/mcp', express.json(), async (request, response) => {
  const server = new McpServer({ name: 'orders', version: '1' })
  server.registerTool('whoami', { description: 'Who the caller is' }, ({ authInfo }) => ({ content: [{ type: 'text', text: `a person by ${authInfo.clientId}` }] }))
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true })
  response.on('close', () => { transport.close(); server.close() })
  await server.connect(transport)
  await transport.handleRequest(request, response, request.body)
})
app.all('/mcp', (_, response) => response.status(405).end())
app.listen(Number(PORT), '127.0.0.1')
