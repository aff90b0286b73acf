// The edge of the cluster: it ends TLS, and knows by the host who answers. Chromium is told that every host under
// example.com is here, so consumers have the names that stand in the samples.
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { connect } from 'node:net'
import { run } from './process.mjs'

/** Makes a CA and a certificate of it for the edge, as files of `folder`. */
export async function authority(folder) {
  const openssl = (...args) => run('openssl', args, { cwd: folder })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  await openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=CA of the consumer tests',
    '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign')
  await openssl('req', ...key, '-keyout', 'edge.key', '-out', 'edge.csr', '-subj', '/CN=the edge')
  const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:*.example.com\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n'
  writeFileSync(`${folder}/edge.ext`, names)
  await openssl('x509', '-req', '-in', 'edge.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2',
    '-extfile', 'edge.ext', '-out', 'edge.pem')
  return { ca: `${folder}/ca.pem`, certificate: `${folder}/edge.pem`, key: `${folder}/edge.key` }
}

export class Front {
  #hosts = new Map()
  #nonce
  /** Answers the next exchange of a code in the place of the issuer: see `substitute`. */
  #substitute

  static async start(files, operatorPort) {
    const front = new Front()
    const tls = { cert: readFileSync(files.certificate), key: readFileSync(files.key) }
    front.server = https.createServer(tls, (request, response) => front.#answer(request, response))
    await new Promise((resolve, reject) => front.server.once('error', reject).listen(0, '127.0.0.1', resolve))
    front.port = front.server.address().port
    front.operatorPort = operatorPort
    await front.#startProxy()
    const { publicKey } = new X509Certificate(tls.cert)
    const pin = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('base64')
    /** What Chromium has to be told. */
    front.flags = [`--host-resolver-rules=MAP *.example.com:443 127.0.0.1:${front.port}`, `--ignore-certificate-errors-spki-list=${pin}`]
    return front
  }

  get issuer() {
    return `https://127.0.0.1:${this.port}`
  }

  /** A proxy for programs that cannot be told where a host is: whatever is asked for, it leads here. */
  async #startProxy() {
    this.tunnels = http.createServer().on('connect', (_, socket) => {
      const edge = connect(this.port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        edge.pipe(socket).pipe(edge)
      })
      for (const end of [edge, socket]) end.on('error', () => { edge.destroy(); socket.destroy() })
    })
    await new Promise((resolve, reject) => this.tunnels.once('error', reject).listen(0, '127.0.0.1', resolve))
    this.proxy = `http://127.0.0.1:${this.tunnels.address().port}`
  }

  /** Requests for this host go to this port of 127.0.0.1, or to a function. */
  serve(host, target) {
    this.#hosts.set(host, target)
  }

  forget() {
    this.#hosts.clear()
    this.substituted = undefined
    this.#substitute = undefined
  }

  /**
   * The next code that anybody exchanges at the issuer is answered with what `mint` returns for the nonce of the
   * authorization request: tokens that the issuer signed, for another client.
   */
  substitute(mint) {
    this.substituted = false
    this.#substitute = mint
  }

  async #answer(request, response) {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '')
    const target = host === '127.0.0.1' || host === 'localhost' ? this.operatorPort : this.#hosts.get(host)
    const url = new URL(request.url, 'https://front')
    if (target === this.operatorPort) {
      if (url.pathname.endsWith('/authorize')) this.#nonce = url.searchParams.get('nonce') ?? undefined
      if (this.#substitute && request.method === 'POST' && url.pathname.endsWith('/token')) return this.#swap(request, response)
    }
    if (typeof target === 'function') return target(request, response)
    if (!target) return response.writeHead(404).end(`no server for ${host}\n`)
    this.#forward(target, host, request, response)
  }

  #forward(port, host, request, response) {
    const headers = {
      ...request.headers,
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': request.headers.host,
      'x-forwarded-port': String(request.headers.host).split(':')[1] ?? '443',
    }
    const forwarded = http.request({ host: '127.0.0.1', port, path: request.url, method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.rawHeaders)
      answer.pipe(response)
    })
    forwarded.on('error', (error) => response.headersSent ? response.destroy() : response.writeHead(502).end(`${host}: ${error.message}\n`))
    request.pipe(forwarded)
  }

  async #swap(request, response) {
    const mint = this.#substitute
    this.#substitute = undefined
    request.resume()
    try {
      const tokens = await mint(this.#nonce)
      this.substituted = true
      const origin = request.headers.origin
      const cors = origin ? { 'access-control-allow-origin': origin } : {}
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store', ...cors }).end(JSON.stringify(tokens))
    } catch (error) {
      console.error(`the tokens of another client could not be made: ${error.stack}`)
      response.writeHead(500).end()
    }
  }

  close() {
    this.server.closeAllConnections()
    this.server.close()
    this.tunnels.closeAllConnections()
    this.tunnels.close()
  }
}
