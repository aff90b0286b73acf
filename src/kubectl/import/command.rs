//! `import`: read, write the folder, and as far as it is asked for check, apply and prove.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::documents::Documents;
use super::folder::{File, files, manifests, write};
use super::model::{Field, Import as Imported, Verdict};
use super::prove::{self, Proved};
use super::readers::read;
use super::settings::Settings;
use super::{apply, tenant_now, tenant_patch};
use crate::args::{ClusterFlags, Import};
use crate::connect::{self, Session};
use crate::failure::{Answer, Failure, Outcome};
use crate::issuer::http;
use crate::objects::{Kind, text};
use crate::output::{Color, Output};
use crate::verbs::wait::wait_until;

/// Does what the flags say.
pub async fn run(args: &Import, flags: &ClusterFlags, output: &mut Output<'_>) -> Answer {
    let settings = Settings {
        namespace: connect::namespace(flags).await?,
        tenant: args.tenant.clone(),
        client_id_key: args.client_id_key.clone(),
        client_secret_key: args.client_secret_key.clone(),
    };
    let import = read(args.source, &Documents::read(&args.files)?, &settings)?;
    let mut made = Made {
        tenant_patch: tenant_patch::text(&import.needs, &args.tenant, None)?,
        ..Made::default()
    };
    // Before anything is sent, so that there is a report whatever the API server answers.
    write(&args.out, &made.files(&import)?)?;
    if args.check || args.apply || (args.prove && args.issuer.is_none()) {
        let session = Session::open(flags).await?;
        match tenant_now::read(&session, &args.tenant).await {
            Ok(now) => {
                made.tenant_patch = tenant_patch::text(&import.needs, &args.tenant, Some(&now))?;
                made.tenant_read = true;
            }
            Err(failure) => output.warn(&format!("the tenant was not read: {failure}")),
        }
        in_cluster(args, &session, &import, &mut made, output).await?;
    } else if let (true, Some(issuer)) = (args.prove, &args.issuer) {
        let proved = prove::prove(&http(&args.http)?, issuer, &import, false).await?;
        made.proved(proved);
    }
    write(&args.out, &made.files(&import)?)?;
    print(args, &import, &made, output)
}

/// What came of the flags.
#[derive(Default)]
struct Made {
    /// What was lost on the way, beside what the reader lost.
    more: Vec<Field>,
    /// What the tenant must allow.
    tenant_patch: Option<String>,
    /// Whether the tenant was read, so that the patch is complete.
    tenant_read: bool,
    /// What the API server took, as a sentence.
    taken: Option<String>,
    /// How many clients got a token.
    tokens: Option<usize>,
}

impl Made {
    fn files(&self, import: &Imported) -> Result<BTreeMap<String, File>, Failure> {
        files(import, self.tenant_patch.clone(), &self.more)
    }

    fn proved(&mut self, proved: Proved) {
        self.more.extend(proved.failed);
        self.tokens = Some(proved.tokens);
    }
}

/// Checks, applies and proves, as far as the flags ask for it.
async fn in_cluster(
    args: &Import,
    session: &Session,
    import: &Imported,
    made: &mut Made,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let manifests = manifests(import);
    let count = objects(manifests.len());
    if args.check || args.apply {
        made.more.extend(apply::check(session, &manifests).await?);
    }
    if made.more.is_empty() && args.check {
        made.taken = Some(format!("The API server takes {count}; nothing was written"));
    }
    if args.apply && !made.more.is_empty() {
        output.warn("nothing was applied, because the API server refuses some of the manifests");
    } else if args.apply {
        let refused = apply::apply(session, &manifests).await?;
        let written = objects(manifests.len() - refused.len());
        made.taken = Some(format!("Wrote {written} in the cluster"));
        made.more.extend(refused);
    }
    if args.prove && made.more.is_empty() {
        let issuer = match &args.issuer {
            Some(issuer) => issuer.clone(),
            None => issuer(session, &args.tenant).await?,
        };
        let http = http(&args.http)?;
        made.proved(prove::prove(&http, &issuer, import, args.apply).await?);
    }
    Ok(())
}

/// A number of objects in words.
fn objects(count: usize) -> String {
    match count {
        1 => "1 object".to_owned(),
        _ => format!("{count} objects"),
    }
}

/// The issuer of the tenant.
async fn issuer(session: &Session, tenant: &str) -> Result<String, Failure> {
    let has_issuer = |object: &Value| !text(object, "/status/issuer").is_empty();
    let object = wait_until(session, (Kind::Tenant, tenant), 20, has_issuer).await?;
    Ok(text(&object, "/status/issuer").to_owned())
}

fn print(args: &Import, import: &Imported, made: &Made, output: &mut Output<'_>) -> Answer {
    let (more, tokens) = (&made.more, made.tokens);
    let report = super::folder::report(import, more);
    let names: Vec<String> = import
        .clients
        .iter()
        .filter(|client| client.spec.is_some())
        .map(|client| format!("oauthclient/{}", client.name))
        .collect();
    let mut value = report["summary"].clone();
    value["out"] = json!(args.out);
    value["tokens"] = json!(tokens);
    let count = |name: &str| report["summary"][name].as_u64().unwrap_or(0);
    let mut shown = format!(
        "{}: {} clients and {} people into {}\n{} fields exact, {} changed, {} lost; report.json says each with its reason and what to do\n",
        import.source,
        count("clients"),
        count("users"),
        args.out.display(),
        count("exact"),
        count("changed"),
        count("lost")
    );
    if let Some(taken) = &made.taken {
        let _ = writeln!(shown, "{taken}");
    }
    if let Some(tokens) = tokens {
        let _ = writeln!(
            shown,
            "{tokens} machine clients got a token with their original secret"
        );
    }
    if made.tenant_patch.is_some() {
        let path = args.out.join(tenant_patch::FILE);
        let _ = writeln!(
            shown,
            "The tenant must allow some of it: see {}{}",
            path.display(),
            if made.tenant_read {
                ""
            } else {
                ", which is complete only with --check, because that reads the tenant"
            }
        );
    }
    shown += &lost(import, more, output);
    output.value(&value, &names, &shown)?;
    Ok(Outcome::of(count("lost") == 0))
}

/// The first losses, so that the report need not be opened to see what kind they are.
fn lost(import: &Imported, more: &[Field], output: &Output<'_>) -> String {
    const SHOWN: usize = 20;
    let more = more.iter().map(|field| (import.source, field));
    let fields = import.fields_with_origin().chain(more);
    let lost: Vec<(&str, &Field)> = fields
        .filter(|(_, field)| field.verdict == Verdict::Lost)
        .collect();
    let mut shown = String::new();
    for (origin, field) in lost.iter().take(SHOWN) {
        let head = output.paint(Color::Red, "lost");
        let _ = writeln!(
            shown,
            "{head}  {origin} {}: {}; {}",
            field.field, field.why, field.todo
        );
    }
    if lost.len() > SHOWN {
        let _ = writeln!(shown, "… and {} more in report.json", lost.len() - SHOWN);
    }
    shown
}
