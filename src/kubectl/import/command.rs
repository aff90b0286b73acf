//! `import`: read, write the folder, and as far as it is asked for check, apply and prove.

use std::fmt::Write;

use serde_json::{Value, json};

use super::documents::Documents;
use super::folder::{files, manifests, write};
use super::model::{Field, Import as Imported, Verdict};
use super::readers::read;
use super::settings::Settings;
use super::{apply, prove};
use crate::args::{ClusterFlags, Import};
use crate::connect::Session;
use crate::failure::{Answer, Failure, Outcome};
use crate::issuer::http;
use crate::objects::{Kind, text};
use crate::output::{Color, Output};
use crate::verbs::wait::wait_until;

/// Does what the flags say.
pub async fn run(args: &Import, flags: &ClusterFlags, output: &mut Output<'_>) -> Answer {
    let settings = Settings {
        namespace: flags
            .namespace
            .clone()
            .unwrap_or_else(|| "default".to_owned()),
        tenant: args.tenant.clone(),
        client_id_key: args.client_id_key.clone(),
        client_secret_key: args.client_secret_key.clone(),
    };
    let import = read(args.source, &Documents::read(&args.files)?, &settings)?;
    write(&args.out, &files(&import, &args.tenant, &[])?)?;
    let mut more = Vec::new();
    let mut proved = None;
    if args.check || args.apply || (args.prove && args.issuer.is_none()) {
        let session = Session::open(flags).await?;
        let manifests = manifests(&import);
        if args.check || args.apply {
            more.extend(apply::check(&session, &manifests).await?);
        }
        if args.apply && more.is_empty() {
            more.extend(apply::apply(&session, &manifests).await?);
        } else if args.apply {
            output
                .warn("nothing was applied, because the API server refuses some of the manifests");
        }
        if args.prove && more.is_empty() {
            let issuer = match &args.issuer {
                Some(issuer) => issuer.clone(),
                None => issuer(&session, &args.tenant).await?,
            };
            proved = Some(prove::prove(&http(&args.http)?, &issuer, &import, args.apply).await?);
        }
    } else if let (true, Some(issuer)) = (args.prove, &args.issuer) {
        proved = Some(prove::prove(&http(&args.http)?, issuer, &import, false).await?);
    }
    if let Some(proved) = &proved {
        more.extend(proved.failed.iter().cloned());
    }
    if !more.is_empty() {
        write(&args.out, &files(&import, &args.tenant, &more)?)?;
    }
    print(
        args,
        &import,
        &more,
        proved.map(|proved| proved.tokens),
        output,
    )
}

/// The issuer of the tenant.
async fn issuer(session: &Session, tenant: &str) -> Result<String, Failure> {
    let has_issuer = |object: &Value| !text(object, "/status/issuer").is_empty();
    let object = wait_until(session, (Kind::Tenant, tenant), 20, has_issuer).await?;
    Ok(text(&object, "/status/issuer").to_owned())
}

fn print(
    args: &Import,
    import: &Imported,
    more: &[Field],
    tokens: Option<usize>,
    output: &mut Output<'_>,
) -> Answer {
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
    if let Some(tokens) = tokens {
        let _ = writeln!(
            shown,
            "{tokens} machine clients got a token with their original secret"
        );
    }
    if !import.needs.is_empty() {
        shown += "The tenant must allow some of it: see tenant-patch.yaml\n";
    }
    shown += &lost(import, more, output);
    output.value(&value, &names, &shown)?;
    Ok(Outcome::of(count("lost") == 0))
}

/// The first losses, so that the report need not be opened to see what kind they are.
fn lost(import: &Imported, more: &[Field], output: &Output<'_>) -> String {
    const SHOWN: usize = 20;
    let of_objects = import
        .clients
        .iter()
        .map(|client| (client.origin.as_str(), &client.fields))
        .chain(
            import
                .users
                .iter()
                .map(|user| (user.origin.as_str(), &user.fields)),
        )
        .flat_map(|(origin, fields)| fields.iter().map(move |field| (origin, field)));
    let others = import.notes.iter().chain(more);
    let others = others.map(|field| (import.source, field));
    let lost: Vec<(&str, &Field)> = of_objects
        .chain(others)
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
