// An API, as the documentation of express-oauth2-jwt-bearer has it.
import express from 'express'
import { auth } from 'express-oauth2-jwt-bearer'

const app = express()
app.get('/healthz', (_, response) => response.send('ok'))
app.use(auth({ issuerBaseURL: process.env.ISSUER, audience: 'https://api.orders.example.com', tokenSigningAlg: 'ES256' }))
app.get('/', ({ auth }, response) => response.send(`${auth.payload.client_id} ${auth.payload.scope}`))
app.use((error, _request, response, _next) => response.status(error.status ?? 500).set(error.headers ?? {}).send(error.message))
app.listen(Number(process.env.PORT), '127.0.0.1')
