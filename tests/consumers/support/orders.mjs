// An API of its own: the tenant of the sample tenant-orders, a caller that may use the API, and one that may not.

/** The address of the API, which is the audience of its tokens. */
export const API = 'https://api.orders.example.com'

/** A token by client credentials. */
export async function machineToken(kit, { CLIENT_ID, CLIENT_SECRET, TOKEN_ENDPOINT }, more = {}) {
  const url = TOKEN_ENDPOINT.replace(kit.issuer, `http://127.0.0.1:${kit.installation.front.operatorPort}`)
  const basic = Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString('base64')
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...more }),
  })
  const told = await answer.json()
  if (!answer.ok) throw new Error(`no token for ${CLIENT_ID}: ${JSON.stringify(told)}`)
  return told.access_token
}

/** A token for the API, and one of the same issuer that is not for it. */
export async function orders(kit) {
  await kit.sample('tenant-orders')
  const secret = await kit.sample('machine-with-audience')
  const good = await machineToken(kit, secret, { resource: API })
  const other = await kit.client('not-for-orders', { tenant: 'orders', grantTypes: ['client_credentials'] })
  return { secret, good, wrong: await machineToken(kit, other) }
}
