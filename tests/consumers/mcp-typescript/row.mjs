import { version } from '../support/kit.mjs'
import { mcp } from '../support/mcp.mjs'

export const title = 'MCP SDK for TypeScript'
export const command = 'node client.mjs'

export async function build(kit) {
  await kit.npm()
  return { version: version.npm(kit.folder, '@modelcontextprotocol/sdk') }
}

export const run = (kit) => mcp(kit, 'node', ['client.mjs'])
export const page = 'mcp'
