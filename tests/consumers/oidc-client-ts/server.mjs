// Hands out a page with a script, and the library. What signs in is the script in the browser.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const { ISSUER, CLIENT_ID, PORT } = process.env
const library = readFileSync('node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js')
const page = readFileSync('index.html', 'utf8').replace('ISSUER', ISSUER).replace('CLIENT_ID', CLIENT_ID)
createServer((request, response) => {
  if (request.url === '/oidc-client-ts.min.js') return response.writeHead(200, { 'content-type': 'text/javascript' }).end(library)
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page)
}).listen(Number(PORT), '127.0.0.1')
