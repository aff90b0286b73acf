// A person at a browser without a screen: follows redirects, keeps cookies, fills in the forms of sign-in, consent and
// sign-out, and says which it met. It does what a browser does and no more; the journey in Chromium is browser.mjs.
//
//   USERNAME=... PASSWORD=... [DECISION=deny] node person.mjs
//
// reads lines `URL [PREFIX]`: goes to URL, and on, until it is sent to an address that begins with PREFIX, which it
// does not open (an application that is not there). Answers each by a line of JSON. No dependencies.
import http from 'node:http'
import https from 'node:https'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const text = (html) => html.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) =>
  name ? ENTITIES[name] ?? whole : String.fromCodePoint(parseInt(decimal ?? hex, decimal ? 10 : 16)))

function attributes(tag) {
  const pairs = [...tag.matchAll(/([a-z-]+)(?:="([^"]*)")?/gi)].slice(1)
  return Object.fromEntries(pairs.map(([, name, value]) => [name.toLowerCase(), text(value ?? '')]))
}

/** The forms of a page: where they go, their fields, and their buttons. */
export function forms(page) {
  return [...page.matchAll(/(<form\b[^>]*>)([\s\S]*?)<\/form>/gi)].map(([, head, body]) => ({
    ...attributes(head),
    fields: [...body.matchAll(/<(?:input|button)\b[^>]*>/gi)].map(([tag]) => attributes(tag)),
  }))
}

/** Cookies as a browser keeps them: for a host, whatever the port (RFC 6265 section 8.5). */
class Cookies {
  #hosts = new Map()

  for({ hostname, pathname, protocol }) {
    const fits = (cookie) => pathname.startsWith(cookie.path) && (protocol === 'https:' || !cookie.secure)
    return [...(this.#hosts.get(hostname)?.values() ?? [])].filter(fits).map(({ name, value }) => `${name}=${value}`).join('; ')
  }

  keep({ hostname }, header) {
    const [pair, ...rest] = header.split(/;\s*/)
    const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
    const marks = Object.fromEntries(rest.map((mark) => mark.split('=')).map(([key, said]) => [key.toLowerCase(), said ?? true]))
    const host = this.#hosts.get(hostname) ?? this.#hosts.set(hostname, new Map()).get(hostname)
    if (name.startsWith('__Host-') && !(marks.secure && marks.path === '/' && !marks.domain)) throw new Error(`a browser refuses ${name}`)
    if (marks['max-age'] !== undefined && Number(marks['max-age']) <= 0) host.delete(name)
    else host.set(name, { name, value, path: marks.path ?? '/', secure: marks.secure })
  }
}

/** One request, one answer; nothing is followed. */
function exchange(url, { method = 'GET', headers = {}, body } = {}) {
  const { request } = url.protocol === 'https:' ? https : http
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: { accept: 'text/html', ...headers } }, (answer) => {
      const chunks = []
      answer.on('data', (chunk) => chunks.push(chunk)).on('error', reject)
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks).toString() }))
    })
    sent.on('error', reject).end(body)
  })
}

export class Person {
  #cookies = new Cookies()

  constructor({ username, password, decision = 'allow' }) {
    Object.assign(this, { username, password, decision })
  }

  /**
   * Goes to a URL and wherever that leads. Ends at a page that asks nothing, or at an address that begins with `until`.
   * Returns `url`, `met` (the forms on the way: sign-in, consent, sign-out), and `status` and `title` of the last page,
   * or `form`, when the address was to be posted to (response mode form_post).
   */
  async visit(url, until) {
    const met = []
    let next = { url: new URL(url) }
    for (let steps = 0; steps < 20; steps++) {
      if (until && next.url.href.startsWith(until)) return { url: next.url.href, form: next.body && Object.fromEntries(new URLSearchParams(next.body)), met }
      const answer = await this.#ask(next)
      if (answer.status >= 300 && answer.status < 400) {
        if (answer.status !== 303 && next.method === 'POST') throw new Error(`${answer.status} after a POST: a browser may post again`)
        next = { url: new URL(answer.headers.location, next.url) }
        continue
      }
      const todo = this.#decide(answer, met)
      if (!todo) return { url: next.url.href, status: answer.status, title: text(answer.body.match(/<title>(.*?)<\/title>/)?.[1] ?? ''), met }
      next = submission(todo, next.url, answer)
    }
    throw new Error('20 steps and no end')
  }

  async #ask({ url, method, body, headers }) {
    const cookie = this.#cookies.for(url)
    const answer = await exchange(url, { method, body, headers: { 'sec-fetch-mode': 'navigate', ...headers, ...(cookie && { cookie }) } })
    for (const header of answer.headers['set-cookie'] ?? []) this.#cookies.keep(url, header)
    return answer
  }

  /** The form that goes now, with what a person puts into it; no form on a page that says something went wrong. */
  #decide({ status, body }, met) {
    const named = (form, name, value) => form.fields.some((field) => field.name === name && (!value || field.value === value))
    const fill = (what, form, values) => met.push(what) && { form, values }
    for (const form of forms(body)) {
      if (named(form, 'code') || named(form, 'error')) return { form, values: {} } // goes by itself
      if (status >= 400) continue
      if (named(form, 'password')) return fill('sign-in', form, { username: this.username, password: this.password })
      if (named(form, 'decision', 'allow')) return fill('consent', form, { decision: this.decision })
      if (named(form, 'decision', 'sign-out')) return fill('sign-out', form, { decision: 'sign-out' })
    }
    return undefined
  }
}

/** What a browser sends for a form: hidden fields, what was typed, the button that was pressed, and its Origin. */
function submission({ form, values }, page, answer) {
  const fields = form.fields.filter(({ name, type }) => name && (type === 'hidden' || name in values))
  const body = new URLSearchParams(fields.map(({ name, value }) => [name, values[name] ?? value ?? '']))
  for (const [name, value] of Object.entries(values)) body.set(name, value)
  const url = new URL(form.action || page.href, page)
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    origin: answer.headers['referrer-policy'] === 'no-referrer' ? 'null' : page.origin,
    'sec-fetch-site': url.origin === page.origin ? 'same-origin' : 'cross-site',
  }
  return { url, method: 'POST', headers, body: body.toString() }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { USERNAME, PASSWORD, DECISION } = process.env
  const person = new Person({ username: USERNAME, password: PASSWORD, decision: DECISION })
  for await (const line of createInterface({ input: process.stdin })) {
    const [url, until] = line.split(' ')
    console.log(JSON.stringify(await person.visit(url, until)))
  }
}
