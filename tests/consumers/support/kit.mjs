// What a row works with: the installation, programs, people, and the packages of its lock file.
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { join, resolve } from 'node:path'
import { Programs, download, eventually, freePort, run } from './process.mjs'

export { eventually, run } from './process.mjs'

/** Another client of the same issuer, whose tokens a consumer must not take for its own. */
const ANOTHER = {
  apiVersion: 'clientele.dev/v1alpha1',
  kind: 'OAuthClient',
  metadata: { name: 'another' },
  spec: { redirectUris: ['https://another.example.com/callback'], scopes: ['openid', 'profile', 'email', 'groups'] },
}

export class Kit {
  #programs = new Programs()
  #people = []
  #servers = []

  constructor({ installation, people, name, root, cache, scratch, pictures }) {
    Object.assign(this, { installation, people, name, root, cache, pictures })
    this.folder = `${root}/tests/consumers/${name}`
    this.scratch = `${scratch}/${name}`
    rmSync(this.scratch, { recursive: true, force: true })
    mkdirSync(this.scratch, { recursive: true })
  }

  get issuer() {
    return this.installation.issuer
  }

  get ca() {
    return this.installation.ca
  }

  /** How programs of each kind are told to trust the CA of the issuer, as a company would. */
  get trust() {
    return { NODE_EXTRA_CA_CERTS: this.ca, SSL_CERT_FILE: this.ca, REQUESTS_CA_BUNDLE: this.ca }
  }

  /** Applies deploy/samples/<name>.yaml as it is, and returns the entries of the Secret that comes of it. */
  async sample(name, namespace) {
    const object = await this.installation.sample(`${this.root}/deploy/samples/${name}.yaml`, namespace)
    return object.kind === 'OAuthClient' ? this.installation.entries(object.status.secretName, namespace) : object
  }

  /** Applies an object that belongs to the row's own surroundings, such as a caller of the consumer. */
  async client(name, spec) {
    const manifest = { ...ANOTHER, metadata: { name }, spec }
    await this.installation.apply(JSON.stringify(manifest))
    await this.installation.kube('--namespace', 'demo', 'wait', '--for=condition=Ready', `oauthclient/${name}`, '--timeout=60s')
    return this.installation.entries(`${name}-oauth`)
  }

  /** A port for a program that people reach as https://<host>. */
  async serve(host) {
    const port = await freePort()
    this.installation.front.serve(host, port)
    return port
  }

  /** A port for a program that is called on loopback only. */
  port() {
    return freePort()
  }

  /** A redirect URI on loopback, with a port that the person's own computer chose. */
  async loopback() {
    const server = http.createServer((_, response) => response.end('done'))
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    this.#servers.push(server)
    return `http://127.0.0.1:${server.address().port}`
  }

  /** Starts the consumer, and waits until it answers at `url`, or until `ready` does not fail. */
  start(command, args, { env = {}, cwd = this.folder, url, ready, within } = {}) {
    const answers = () => status(url)
    return this.#programs.start(command, args, { env: { ...this.trust, ...env }, cwd, within, log: `${this.scratch}/log`, ready: ready ?? (url && answers) })
  }

  /** A person at a browser. */
  async open(username) {
    const person = await this.people.open(username)
    this.#people.push(person)
    return person
  }

  async picture(person) {
    if (this.pictures) await person.page.screenshot({ path: `${this.pictures}/${this.name}.png` })
  }

  async #another() {
    const { CLIENT_ID, CLIENT_SECRET } = await this.client(ANOTHER.metadata.name, ANOTHER.spec)
    this.installation.front.serve('another.example.com', (_, response) => response.end('done'))
    return { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, redirectUri: ANOTHER.spec.redirectUris[0] }
  }

  /**
   * From here on the next code is answered with the tokens of another client: signed by the issuer, for the same person and
   * with the nonce that was asked for. Only the audience is wrong.
   */
  async wrongAudience(username = 'alice') {
    const another = await this.#another()
    this.installation.front.substitute((nonce) => this.people.tokens(another, username, { nonce }))
  }

  /** Fails when the tokens of another client were promised to the consumer, and it never got them. */
  check() {
    if (this.installation.front.substituted === false) throw new Error('the consumer did not get the tokens of another client, so it refused something else')
  }

  /** The tokens that a person has given to another client. */
  async tokensOfAnother(username = 'alice') {
    return this.people.tokens(await this.#another(), username)
  }

  // ---- packages

  /** The packages of package-lock.json; a folder that several rows use is filled once. */
  npm(folder = this.folder) {
    const key = resolve(folder)
    if (!installed.has(key)) installed.set(key, npmCi(key))
    return installed.get(key)
  }

  /** A virtual environment with the packages of requirements.txt; returns its Python. */
  async python() {
    const lock = readFileSync(`${this.folder}/requirements.txt`)
    const interpreter = await run('python3', ['--version'])
    const here = `${this.cache}/${this.name}-${digest(interpreter + lock)}`
    if (!existsSync(`${here}/complete`)) {
      rmSync(here, { recursive: true, force: true })
      await run('python3', ['-m', 'venv', here], { timeout: 300_000 })
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--retries', '5', '--requirement', `${this.folder}/requirements.txt`]
      await download(`${here}/bin/python`, pip, { timeout: 600_000 })
      writeFileSync(`${here}/complete`, '')
    }
    return `${here}/bin/python`
  }

  /** Builds a package of the module in the row's folder, with the versions of go.mod and go.sum. */
  async go(what = '.') {
    const binary = `${this.cache}/${this.name}-${digest((await run('go', ['version'])) + contents(this.folder, /[.](go|mod|sum)$/))}.bin`
    if (!existsSync(binary)) {
      const options = { cwd: this.folder, timeout: 1_500_000, env: { SSL_CERT_FILE: undefined } }
      await download('go', ['build', '-mod=readonly', '-o', `${binary}.part`, what], options)
      renameSync(`${binary}.part`, binary)
    }
    return binary
  }

  /** Builds the application of pom.xml, whose sources are in this folder; returns its jar. */
  async maven(sources) {
    const content = readFileSync(`${this.folder}/pom.xml`) + contents(resolve(this.folder, sources))
    const jar = `${this.cache}/${this.name}-${digest(content)}.jar`
    if (!existsSync(jar)) {
      const target = `${this.scratch}/target`
      await download('mvn', ['--quiet', '--batch-mode', '-Dmaven.wagon.http.retryHandler.count=3', `-DbuildDirectory=${target}`, 'package'], { cwd: this.folder, timeout: 1_500_000 })
      copyFileSync(`${target}/app.jar`, `${jar}.part`)
      renameSync(`${jar}.part`, jar)
    }
    return jar
  }

  async end() {
    for (const person of this.#people.splice(0)) await person.close()
    await this.#programs.end()
    for (const server of this.#servers.splice(0)) server.close()
    this.installation.front.forget()
  }
}

const files = (folder) => readdirSync(folder, { withFileTypes: true }).sort((a, b) => a.name < b.name ? -1 : 1)
  .flatMap((entry) => entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)])
const contents = (folder, names = /./) => files(folder).filter((path) => names.test(path)).map((path) => `${path.slice(folder.length)}\n${readFileSync(path)}`).join('\n')

/** By folder. */
const installed = new Map()

async function npmCi(folder) {
  const when = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (when(`${folder}/node_modules/.package-lock.json`) > when(`${folder}/package-lock.json`)) return
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline', '--fetch-retries=5']
  await download('npm', ['ci', ...flags], { cwd: folder, timeout: 600_000 })
}

const digest = (content) => createHash('sha256').update(content).digest('hex').slice(0, 16)

/** The status that a server answers, whatever it is. */
export function status(url, headers = {}) {
  return answer(url, headers).then((answer) => answer.status)
}

/** One request over plain http, nothing followed. */
export function answer(url, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { headers }, (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk)).on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }))
    })
    request.on('error', reject)
  })
}

/** Asks a consumer with a bearer token. */
export const bearer = (url, token) => answer(url, token ? { authorization: `Bearer ${token}` } : {})

/** The version of a package in the lock file of a row. */
export const version = {
  npm: (folder, name) => JSON.parse(readFileSync(`${folder}/package-lock.json`)).packages[`node_modules/${name}`].version,
  python: (folder, name) => found(`${folder}/requirements.txt`, new RegExp(`^${name}(?:\\[.*\\])?==(\\S+)`, 'mi')),
  go: (folder, path) => found(`${folder}/go.mod`, new RegExp(`\\s${path.replaceAll('.', '\\.')} v(\\S+)`)),
  maven: (folder, pom = 'pom.xml') => found(`${folder}/${pom}`, /<parent>[\s\S]*?<version>([^<]+)<\/version>/),
  debian: async (name) => (await run('dpkg-query', ['--show', '--showformat=${Version}', name])).trim(),
}

function found(file, pattern) {
  const match = readFileSync(file, 'utf8').match(pattern)
  if (!match) throw new Error(`${file} does not have ${pattern}`)
  return match[1]
}
