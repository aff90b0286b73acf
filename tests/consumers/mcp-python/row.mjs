import { version } from '../support/kit.mjs'
import { mcp } from '../support/mcp.mjs'

export const title = 'MCP SDK for Python'
export const command = 'python client.py'

export async function build(kit) {
  await kit.npm(`${kit.folder}/../mcp-typescript`)
  return { python: await kit.python(), version: version.python(kit.folder, 'mcp') }
}

export const run = (kit, { python }) => mcp(kit, python, ['client.py'])
export const page = 'mcp'
