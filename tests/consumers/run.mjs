// Runs consumers that others wrote against one installation: see tests/README.md.
//
//   node run.mjs [--short] [--write] [--record] [NAME...]
//
// --short: only the rows that are marked so. --write: writes the table and the pictures of docs/consumers. --record: writes
// what was seen into the expected.json of each row, to be reviewed with `git diff`.
// BINARY is the operator. Prints the table; fails unless every row did what its expected.json says.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Installation } from './support/installation.mjs'
import { Kit } from './support/kit.mjs'
import { People } from './support/people.mjs'
import { run } from './support/process.mjs'
import { notRun, table } from './support/table.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = resolve(here, '../..')
const { BINARY, CONSUMERS_CACHE: cache } = process.env
if (!BINARY || !cache) throw new Error('run scripts/consumers, which says where the operator and the cache are')

const words = process.argv.slice(2)
const short = words.includes('--short')
const write = words.includes('--write')
const record = words.includes('--record')
const wanted = words.filter((word) => !word.startsWith('--'))

/** not-run.md may become shorter, never longer. */
const NOT_RUN_AT_MOST = 5

const began = Date.now()
const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`
const say = (text) => console.log(text)

/** Every folder with a row.mjs is a row; none of them may be listed as not run. */
async function rows() {
  const names = readdirSync(here).filter((name) => existsSync(`${here}/${name}/row.mjs`)).sort()
  const listed = notRun(`${here}/not-run.md`)
  assert(listed.length <= NOT_RUN_AT_MOST, `not-run.md has grown to ${listed.length} lines`)
  for (const { consumer } of listed) assert(!names.includes(consumer), `${consumer} is a row, and listed in not-run.md`)
  for (const name of wanted) assert(names.includes(name), `there is no row ${name}: choose from ${names.join(', ')}`)
  const all = await Promise.all(names.map(async (name) => ({ name, ...(await import(`./${name}/row.mjs`)) })))
  return all.filter(({ name, short: isShort }) => wanted.length ? wanted.includes(name) : !short || isShort)
}

/** Two at once: while one compiles, the other waits for its registry. */
async function prepareAll(chosen, kitOf) {
  const built = new Map()
  const waiting = [...chosen]
  const work = async () => {
    for (let row = waiting.shift(); row; row = waiting.shift()) built.set(row, await prepare(row, kitOf(row)))
  }
  await Promise.all([work(), work()])
  return built
}

/** What can be built or installed is there before anything runs, so that a cold run says what takes so long. */
async function prepare(row, kit) {
  const since = Date.now()
  const built = await row.build(kit).catch((error) => {
    throw new Error(`the packages of ${row.name} cannot be had; run it again when their registry answers: ${error.message}`)
  })
  say(`  ${row.name} ${built.version} is ready (${seconds(since)})`)
  return built
}

async function attempt(row, kit, built) {
  const since = Date.now()
  const file = `${here}/${row.name}/expected.json`
  const expected = JSON.parse(readFileSync(file, 'utf8'))
  const result = { page: row.page ?? row.name, title: row.title, version: built.version, command: row.command, ...expected }
  try {
    const seen = JSON.parse(JSON.stringify(await row.run(kit, built)).replaceAll(installation.issuer, 'https://login.example.com'))
    kit.check()
    if (record) writeFileSync(file, `${JSON.stringify(seen, null, 2)}\n`)
    else assert.deepEqual(seen, expected)
    say(`works  ${row.name} ${built.version} (${seconds(since)})`)
    return { ...result, ...seen, works: true }
  } catch (error) {
    const log = `${kit.scratch}/log`
    say(`FAILS  ${row.name} ${built.version} (${seconds(since)}): ${error.stack}\n${existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(-25).join('\n') : ''}`)
    return { ...result, works: false }
  } finally {
    await kit.end()
  }
}

const scratch = mkdtempSync(`${tmpdir()}/clientele-consumers-`)
const pictures = write ? `${root}/docs/consumers` : undefined
mkdirSync(cache, { recursive: true })
let installation, people
const results = []
try {
  const chosen = await rows()
  const kitOf = ({ name }) => new Kit({ installation, people, name, root, cache, scratch, pictures })
  say('Packages of their lock files')
  const built = await prepareAll(chosen, kitOf)
  say('The control plane, the chart, the operator, people')
  installation = await Installation.start({ root, folder: `${scratch}/installation`, binary: BINARY })
  people = await People.start(installation)
  say(`ready (${seconds(began)})\n`)
  for (const row of chosen) results.push(await attempt(row, kitOf(row), built.get(row)))
} finally {
  await people?.close()
  await installation?.end()
  if (!process.env.KEEP) rmSync(scratch, { recursive: true, force: true })
}

const commit = (await run('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: root })).trim()
const text = table(results, notRun(`${here}/not-run.md`), { commit, date: new Date().toISOString().slice(0, 10) })
say(`\n${text}`)
// A part of the rows is no table.
if (write && !short && !wanted.length) writeFileSync(`${root}/docs/consumers/README.md`, text)
const failed = results.filter(({ works }) => !works)
say(`${results.length - failed.length} passed, ${failed.length} failed`)
if (failed.length) process.exitCode = 1
