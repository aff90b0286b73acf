// A web application by Express and Auth.js, as its documentation has it for a provider of one's own.
import { ExpressAuth, getSession } from '@auth/express'
import express from 'express'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env
const config = {
  providers: [{
    id: 'clientele',
    name: 'Clientele',
    type: 'oidc',
    issuer: ISSUER,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    profile: ({ sub, preferred_username: name, email }) => ({ id: sub, name, email }),
  }],
  basePath: '/auth',
  trustHost: true,
  secret: 'a secret of this run, for its cookies',
}

const app = express()
app.set('trust proxy', true)
app.get('/healthz', (_, response) => response.send('ok'))
app.use('/auth', ExpressAuth(config))
app.get('/', async (request, response) => {
  const session = await getSession(request, config)
  response.send(session ? `Hello, ${session.user.name}` : 'nobody')
})
app.listen(Number(PORT), '127.0.0.1')
