import { run } from './process.mjs'

/** The flags by which Java trusts the CA of the issuer beside its own. */
export async function trustStore(kit, name = 'trust') {
  const file = `${kit.scratch}/${name}.p12`
  await run('keytool', ['-importcert', '-noprompt', '-alias', 'clientele', '-file', kit.ca, '-keystore', file, '-storepass', 'changeit'])
  return [`-Djavax.net.ssl.trustStore=${file}`, '-Djavax.net.ssl.trustStorePassword=changeit', '-XX:TieredStopAtLevel=1', '-Xshare:auto']
}
