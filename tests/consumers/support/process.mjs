// Programs: run to their end, or kept running until the row that started them is over.
import { execFile, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { createServer } from 'node:net'

/** What a program writes to standard output. Fails with the end of what it wrote to standard error. */
export function run(command, args, { env = {}, cwd, input, timeout = 120_000 } = {}) {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, cwd, timeout, maxBuffer: 64 << 20 }
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout)
      const why = error.killed ? `did not end within ${timeout / 1000} s` : `ended with ${error.code ?? error.signal}`
      reject(Object.assign(new Error(`${command} ${why}: ${tail(stderr || stdout || error.message)}`), { stdout, stderr, code: error.code }))
    })
    child.stdin.on('error', () => {}) // a program that has ended already reads nothing
    child.stdin.end(input ?? '')
  })
}

/** The same for what asks a registry of packages: one that is slow or away for a moment is asked again, three times in all. */
export async function download(command, args, options = {}) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run(command, args, options)
    } catch (error) {
      if (attempt === 3) throw error
      console.log(`  ${command} failed and is run again in ${5 * attempt} s: ${error.message.split('\n').at(-1)}`)
      await new Promise((resolve) => setTimeout(resolve, 5000 * attempt))
    }
  }
}

const tail = (text) => text.trim().split('\n').slice(-15).join('\n')

/** A port of 127.0.0.1 that is free at this moment. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** Programs that run until `end`. */
export class Programs {
  #running = []

  /** Starts a program, whose output goes to `log`, and waits until `ready` (a function) does not fail any more. */
  async start(command, args, { env = {}, cwd, log, ready, within = 60_000 }) {
    const child = spawn(command, args, { env: { ...process.env, ...env }, cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const program = { child, said: '', ended: undefined }
    const file = createWriteStream(log, { flags: 'a' })
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        file.write(chunk)
        program.said = (program.said + chunk).slice(-1_000_000)
      })
    }
    program.over = new Promise((resolve) => child.once('close', (code, signal) => resolve(program.ended = code ?? signal)))
    child.once('error', (error) => { program.ended = error.message })
    this.#running.push(program)
    await eventually(`${command} is ready`, async () => {
      if (program.ended !== undefined) throw new Fatal(`${command} ended with ${program.ended}: ${tail(program.said)}`)
      await ready?.(program)
    }, within).catch((error) => { throw new Error(`${error.message}\n${tail(program.said)}`) })
    return program
  }

  /** Ends what was started, the last first: the whole group of each, because some are started by a script. */
  async end() {
    for (const { child, over, ended } of this.#running.splice(0).reverse()) {
      if (ended !== undefined || child.pid === undefined) continue
      const signal = (name) => { try { process.kill(-child.pid, name) } catch { /* it has ended */ } }
      signal('SIGTERM')
      const late = setTimeout(() => signal('SIGKILL'), 5000)
      await over
      clearTimeout(late)
    }
  }
}

/** Ends `eventually` at once. */
export class Fatal extends Error {}

/** Asks again until it does not fail, and returns the answer. */
export async function eventually(what, ask, within = 30_000) {
  const end = Date.now() + within
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (error instanceof Fatal) throw error
      if (Date.now() > end) throw new Error(`not within ${within / 1000} s: ${what}: ${error.message}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
