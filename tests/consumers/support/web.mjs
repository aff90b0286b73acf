// A web application that people sign in to: a person does, and then gets the tokens of another client in the place of the
// application's own, which the application must refuse.

/** Starts it, and returns what it says to the first and to the second. `sign` goes to where a sign-in begins. */
export async function webApplication(kit, { host, command, args, env, health = '/healthz', path = '/login', sign }) {
  const port = await kit.serve(host)
  await kit.start(command, args, { env: { ...env, PORT: String(port) }, url: `http://127.0.0.1:${port}${health}` })
  const signIn = async (username) => {
    const person = await kit.open(username)
    if (sign) await sign(person, kit)
    else await person.visit(`https://${host}${path}`)
    return person
  }
  const alice = await signIn('alice')
  const accepts = await alice.text()

  await kit.wrongAudience()
  const again = await signIn('alice')
  return { accepts, refuses: `the ID token of another client: ${await again.text()}` }
}

/** The same for an application that does not read the audience: a person signs in, and then the application has a wrong secret. */
export async function wrongSecret(kit, { host, path = '/login', command, args, env }) {
  const signIn = async (more) => {
    const port = await kit.serve(host)
    await kit.start(command, args, { env: { ...env, ...more, PORT: String(port) }, url: `http://127.0.0.1:${port}/healthz` })
    const person = await kit.open('alice')
    await person.visit(`https://${host}${path}`)
    return person
  }
  const alice = await signIn({})
  const again = await signIn({ CLIENT_SECRET: `${env.CLIENT_SECRET.slice(0, -4)}AAAA` })
  return { accepts: await alice.text(), refuses: `a wrong client secret: ${await again.text()}` }
}
