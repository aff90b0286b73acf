// A web application by Express, Passport and passport-openidconnect, as its documentation has it.
import express from 'express'
import session from 'express-session'
import passport from 'passport'
import OpenIDConnectStrategy from 'passport-openidconnect'

const { ISSUER, AUTHORIZATION_ENDPOINT, TOKEN_ENDPOINT, USERINFO_ENDPOINT, CLIENT_ID, CLIENT_SECRET, PORT } = process.env
passport.use(new OpenIDConnectStrategy({
  issuer: ISSUER,
  authorizationURL: AUTHORIZATION_ENDPOINT,
  tokenURL: TOKEN_ENDPOINT,
  userInfoURL: USERINFO_ENDPOINT,
  clientID: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  callbackURL: 'https://passport.example.com/callback',
  scope: ['profile'],
  nonce: true,
}, (issuer, profile, done) => done(null, profile)))
passport.serializeUser((user, done) => done(null, user))
passport.deserializeUser((user, done) => done(null, user))

const app = express()
app.set('trust proxy', true)
app.get('/healthz', (_, response) => response.send('ok'))
app.use(session({ secret: 'of this run', resave: false, saveUninitialized: false, cookie: { secure: true } }))
app.use(passport.authenticate('session'))
app.get('/login', passport.authenticate('openidconnect'))
app.get('/callback', (request, response, next) => passport.authenticate('openidconnect', (error, user, info) => {
  if (error) return next(error)
  if (!user) return response.status(403).send(info?.message ?? 'nobody')
  request.login(user, (failed) => failed ? next(failed) : response.send(`Hello, ${user.username}`))
})(request, response, next))
app.use((error, _request, response, _next) => response.status(403).send(error.message))
app.listen(Number(PORT), '127.0.0.1')
