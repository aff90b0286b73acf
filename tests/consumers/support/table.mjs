// The table of docs/consumers/README.md, and the list of what is not run.
import { existsSync, readFileSync } from 'node:fs'

/** The rows of not-run.md: `| consumer | reason |`. */
export function notRun(file) {
  const lines = readFileSync(file, 'utf8').split('\n').filter((line) => line.startsWith('| '))
  return lines.slice(1).map((line) => line.split('|').map((cell) => cell.trim())).map(([, consumer, reason]) => ({ consumer, reason }))
}

/** What a program printed, for a cell: `<` begins no element, and `|` no column. */
const text = (printed) => `${printed}`.replaceAll('<', '\\<').replaceAll('|', '\\|')

/** The page, in Markdown. `commit` is the version of Clientele that was run. */
export function table(results, listed, { commit, date }) {
  const exists = (name) => existsSync(new URL(`../../../docs/consumers/${name}.md`, import.meta.url))
  const rows = results.map(({ page, title, version, command, accepts, refuses, works }) => {
    const link = exists(page) ? `[${title}](${page}.md)` : title
    return `| ${link} | ${version} | \`${command}\` | ${text(accepts)} | ${text(refuses)} | ${works ? 'works' : '**fails**'} |`
  })
  return `# Consumers

Programs and libraries of other projects, each configured from its own documentation and the Secret beside its
[sample](../../deploy/samples), which is applied as it is. \`make test-consumers\` wrote this page: on ${date}, at commit ${commit}.
A person signs in with Chromium. What is in the last column but one, the consumer itself refused.

| consumer | version | started by | accepted | refused | result |
|---|---|---|---|---|---|
${rows.join('\n')}

Not run:

| consumer | reason |
|---|---|
${listed.map(({ consumer, reason }) => `| ${consumer} | ${reason} |`).join('\n')}
`
}
