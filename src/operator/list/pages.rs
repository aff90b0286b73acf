//! A list, page by page and object by object.

use std::time::Duration;

use kube::api::ListParams;
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

use super::cutter::ListCutter;
use super::decode::{Decoded, decode};
use super::read::{Body, Question, ReadError};

/// How many objects a page has. The API server collects what is left for each page, so that few pages are cheap; here an
/// object is forgotten before the next one is read, so that large ones cost nothing. Its own caches read as many.
pub const PAGE: u32 = 10_000;

/// How long a page is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until it begins: the API server gives itself as long.
    pub answer: Duration,
    /// While nothing comes.
    pub silence: Duration,
    /// Until it ends.
    pub longest: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_mins(1),
            silence: Duration::from_secs(20),
            longest: Duration::from_mins(5),
        }
    }
}

/// A list that is being read.
pub struct Pages {
    kube: kube::Client,
    path: String,
    params: ListParams,
    patience: Patience,
    page: Option<(Body, ListCutter)>,
    /// Where a watch goes on, once the list is complete.
    version: Option<String>,
}

impl Pages {
    /// A list of what the parameters select, in pages unless they say otherwise. Nothing is asked for yet.
    pub fn new<K: Resource>(api: Api<K>, params: ListParams, patience: Patience) -> Self {
        let path = api.resource_url().to_owned();
        Self {
            kube: api.into_client(),
            path,
            params,
            patience,
            page: None,
            version: None,
        }
    }

    /// The next object; none at the end of the list. After an error the list begins again.
    pub async fn next<K: DeserializeOwned>(&mut self) -> Result<Option<Decoded<K>>, ReadError> {
        loop {
            // A list that is there already would not let others have their turn.
            tokio::task::coop::consume_budget().await;
            let (body, cutter) = match &mut self.page {
                Some(page) => page,
                page => {
                    page.insert(open(&self.kube, &self.path, &self.params, self.patience).await?)
                }
            };
            let bytes = body.bytes().await?;
            if bytes.is_empty() {
                let list = cutter.finish()?;
                self.page = None;
                let token = list.continue_.filter(|token| !token.is_empty());
                if token.is_some() {
                    self.params.continue_token = token;
                    continue;
                }
                self.version = list.resource_version.filter(|version| !version.is_empty());
                return Ok(None);
            }
            let mut rest = bytes;
            let complete = cutter.advance(&mut rest)?;
            let taken = bytes.len() - rest.len();
            body.take(taken);
            if complete {
                return Ok(Some(decode(cutter.item())?));
            }
        }
    }

    /// Whether the first page has been read, so that the list hangs on a token that may expire.
    pub fn is_continued(&self) -> bool {
        self.params.continue_token.is_some()
    }

    /// Where a watch goes on, once the list is complete.
    pub fn version(&self) -> Result<&str, ReadError> {
        self.version.as_deref().ok_or(ReadError::NoVersion)
    }
}

async fn open(
    kube: &kube::Client,
    path: &str,
    params: &ListParams,
    patience: Patience,
) -> Result<(Body, ListCutter), ReadError> {
    let (question, until) = (Question::Page(params), (patience.answer, patience.silence));
    let body = Body::open(kube, path, question, until).await?;
    Ok((body.ending_within(patience.longest), ListCutter::default()))
}

/// All objects of a list that can be decoded.
pub async fn all<K: DeserializeOwned>(mut pages: Pages) -> Result<Vec<K>, ReadError> {
    let mut all = Vec::new();
    while let Some(object) = pages.next().await? {
        all.extend(object);
    }
    Ok(all)
}
