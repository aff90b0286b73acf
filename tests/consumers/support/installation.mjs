// A control plane with the chart, and the operator beside it with the rights of the chart's ServiceAccount: what
// `make demo` has, behind an edge that speaks https.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Front, authority } from './front.mjs'
import { Programs, eventually, freePort, run } from './process.mjs'

export const SYSTEM = 'clientele-system'
/** Where the samples are applied, but for that of kubectl: docs/how-to/kubectl-login.md names its namespace. */
export const TEAM = 'demo'

const PASSWORD = 'correct horse battery staple'

export class Installation {
  #programs = new Programs()

  static async start({ root, folder, binary }) {
    const here = new Installation()
    Object.assign(here, { root, folder })
    mkdirSync(folder, { recursive: true })
    here.files = await authority(folder)
    here.ca = here.files.ca
    const port = await freePort()
    here.front = await Front.start(here.files, port)
    here.issuer = here.front.issuer
    await here.#controlPlane()
    await here.#chart()
    await here.#operator(binary, port)
    await here.#people()
    return here
  }

  async #controlPlane() {
    const documented = readFileSync(`${this.root}/docs/authentication-config.yaml`, 'utf8')
    const ca = readFileSync(this.ca, 'utf8').trim().replaceAll('\n', '\n        ')
    const configuration = documented
      .replace('https://login.example.com', this.issuer)
      .replace(/# certificateAuthority:.*/, `certificateAuthority: |\n        ${ca}`)
    writeFileSync(`${this.folder}/authentication-config.yaml`, configuration)
    const args = ['-C', 'cluster', 'run', '.', 'run', '--authentication-config', `${this.folder}/authentication-config.yaml`]
    this.plane = spawn('go', args, { cwd: this.root, stdio: ['pipe', 'pipe', 'inherit'], detached: true })
    const lines = createInterface({ input: this.plane.stdout })
    const first = await new Promise((resolve, reject) => {
      lines.once('line', resolve)
      this.plane.once('exit', (code) => reject(new Error(`the control plane ended with ${code}`)))
    })
    const { kubeconfig, server } = JSON.parse(first)
    Object.assign(this, { kubeconfig, server })
    this.kubectl = (await run('go', ['-C', 'cluster', 'run', '.', 'tool', 'kubectl'], { cwd: this.root })).trim()
    this.helm = (await run('go', ['-C', 'cluster', 'run', '.', 'tool', 'helm'], { cwd: this.root })).trim()
  }

  /** kubectl as the administrator. */
  kube(...args) {
    return run(this.kubectl, ['--request-timeout=60s', ...args], { env: { KUBECONFIG: this.kubeconfig } })
  }

  apply(manifest, namespace = TEAM) {
    const env = { KUBECONFIG: this.kubeconfig }
    return run(this.kubectl, ['--namespace', namespace, 'apply', '--filename', '-'], { env, input: manifest })
  }

  async #chart() {
    const args = ['upgrade', '--install', 'clientele', 'charts/clientele', '--namespace', SYSTEM, '--create-namespace',
      '--set', 'deployment.enabled=false', '--timeout', '2m']
    await run(this.helm, args, { env: { KUBECONFIG: this.kubeconfig }, cwd: this.root })
    await this.kube('wait', '--for=condition=Established', '--timeout=30s',
      ...['oauthclients', 'oauthtenants', 'oauthusers'].map((name) => `crd/${name}.clientele.dev`))
  }

  async #operator(binary, port) {
    const token = await this.kube('create', 'token', 'clientele', '--namespace', SYSTEM, '--duration', '8h')
    const config = JSON.parse(await this.kube('config', 'view', '--minify', '--flatten', '--raw', '--output', 'json'))
    config.users = [{ name: 'operator', user: { token: token.trim() } }]
    config.contexts[0].context = { ...config.contexts[0].context, user: 'operator', namespace: SYSTEM }
    writeFileSync(`${this.folder}/operator.kubeconfig`, JSON.stringify(config), { mode: 0o600 })
    const admin = await freePort()
    const args = ['run', '--install-crds', 'false', '--namespace', SYSTEM, '--listen', `127.0.0.1:${port}`,
      '--admin-listen', `127.0.0.1:${admin}`, '--public-url', this.issuer, '--trusted-proxies', '127.0.0.0/8',
      '--database-url', `sqlite:${this.folder}/clientele.db`]
    const env = { KUBECONFIG: `${this.folder}/operator.kubeconfig`, KUBERNETES_SERVICE_HOST: undefined }
    const ready = async () => {
      const answer = await fetch(`http://127.0.0.1:${admin}/readyz`)
      if (!answer.ok) throw new Error(await answer.text())
    }
    await this.#programs.start(binary, args, { env, log: `${this.folder}/operator.log`, ready })
    await eventually('the tenant default is there', () => this.kube('get', 'oauthtenant', 'default'))
    await this.kube('wait', '--for=condition=Ready', 'oauthtenant/default', '--timeout=60s')
  }

  /** The person of the sample, who is in the group `orders`; bob, who is in no group; and carol, whose manifest says no more than it must. */
  async #people() {
    await this.kube('create', 'namespace', TEAM)
    await this.kube('label', 'namespace', TEAM, 'clientele.dev/users=default')
    await this.apply(readFileSync(`${this.root}/deploy/samples/user.yaml`, 'utf8'))
    await this.addPerson('bob', { email: 'bob@example.com', emailVerified: true })
    await this.addPerson('carol', { email: 'carol@example.com', groups: ['orders'] })
    await this.kube('--namespace', TEAM, 'wait', '--for=condition=Ready', 'oauthuser/user', '--timeout=60s')
  }

  /** An OAuthUser with the password of all of them; `name` is the username unless the specification has another. */
  async addPerson(name, spec) {
    const passwordSecretRef = { name: `${name}-password` }
    const items = [
      { apiVersion: 'v1', kind: 'Secret', metadata: passwordSecretRef, type: 'clientele.dev/password', stringData: { password: PASSWORD } },
      { apiVersion: 'clientele.dev/v1alpha1', kind: 'OAuthUser', metadata: { name }, spec: { username: name, passwordSecretRef, ...spec } },
    ]
    await this.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
    await this.kube('--namespace', TEAM, 'wait', '--for=condition=Ready', `oauthuser/${name}`, '--timeout=60s')
  }

  person(username) {
    return { username, password: PASSWORD }
  }

  /** Applies a manifest as it is, waits until its object is ready, and returns it. */
  async sample(file, namespace = TEAM) {
    await this.apply(readFileSync(file, 'utf8'), namespace)
    const all = JSON.parse(await this.kube('--namespace', namespace, 'get', '--filename', file, '--output', 'json'))
    const object = (all.items ?? [all]).find(({ apiVersion }) => apiVersion.startsWith('clientele.dev/'))
    const what = `${object.kind.toLowerCase()}/${object.metadata.name}`
    await this.kube('--namespace', namespace, 'wait', '--for=condition=Ready', what, '--timeout=60s')
    return JSON.parse(await this.kube('--namespace', namespace, 'get', what, '--output', 'json'))
  }

  /** The entries of a Secret. */
  async entries(name, namespace = TEAM) {
    const { data } = JSON.parse(await this.kube('--namespace', namespace, 'get', 'secret', name, '--output', 'json'))
    return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
  }

  async end() {
    await this.#programs.end()
    this.front?.close()
    if (this.plane?.exitCode === null) {
      const over = new Promise((resolve) => this.plane.once('exit', resolve))
      this.plane.stdin.end()
      await over
    }
  }
}
