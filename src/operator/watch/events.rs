//! A list, and then what happens from its version on, without an end: the events of one watch.
//!
//! The watcher of kube does the same with pages in memory and pauses of up to a minute. Its events are kept, because the
//! stores of kube take them.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::{BoxStream, unfold};
use kube::api::{ListParams, WatchParams};
use kube::runtime::watcher::Event;
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::time::sleep;

use super::lines::{Lines, WatchLine};
use crate::context::Context;
use crate::list::decode::Undecodable;
use crate::list::pages::{PAGE, Pages, Patience};
use crate::list::read::{Body, Question, ReadError};
use crate::list::retry::{Backoff, RetryLimit, chance};
use crate::metrics::OperatorMetrics;
use crate::metrics::watch::WatchAge;

/// This many watches are many.
const MANY: usize = 20;
/// A watch that ends sooner without a word has failed.
const SHORTEST: Duration = Duration::from_secs(1);
/// How often it is said that a watch still fails.
const SAY_EVERY: Duration = Duration::from_secs(30);
/// The API server is left alone for as long as it wants, up to this.
const LONGEST_WISH: Duration = Duration::from_mins(1);

/// How long is waited for lists and watches.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    list: Patience,
    /// Until a watch begins; the API server answers at once.
    answer: Duration,
    /// A watch is ended by the API server after so long, and begins again where it was: one that has said nothing for
    /// longer hangs on a connection that leads nowhere, or on a process that has stopped.
    lasts: Duration,
    /// The same where there are many watches, of which each renewal is a request. The kernel finds connections that lead
    /// nowhere then.
    lasts_among_many: Duration,
    /// How much longer than the API server we wait.
    margin: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            list: Patience::default(),
            answer: Duration::from_secs(15),
            lasts: Duration::from_secs(45),
            lasts_among_many: Duration::from_secs(290),
            margin: Duration::from_secs(10),
        }
    }
}

/// What is watched.
pub struct Selection<K> {
    /// For people and metrics.
    pub what: &'static str,
    /// Where.
    pub api: Api<K>,
    /// Which of them.
    pub params: ListParams,
    /// Whether the log may quote them.
    pub quotable: bool,
}

/// The result of waiting for an event.
pub type Heard<K> = Result<Event<K>, Box<ReadError>>;

/// The events of what is selected, without an end. After an error it goes on by itself; one that lasts is told again only after
/// a while. An object that cannot be decoded is reported, and counts as absent.
pub fn events<K>(context: &Context, selection: Selection<K>) -> BoxStream<'static, Heard<K>>
where
    K: Resource<DynamicType = ()> + Clone + Debug + Default + DeserializeOwned + Send + 'static,
{
    let (metrics, limit) = (context.metrics.clone(), context.retries.clone());
    events_within(Bounds::default(), metrics, limit, selection)
}

fn events_within<K>(
    bounds: Bounds,
    metrics: Arc<OperatorMetrics>,
    limit: Arc<RetryLimit>,
    selection: Selection<K>,
) -> BoxStream<'static, Heard<K>>
where
    K: Resource<DynamicType = ()> + Clone + Debug + Default + DeserializeOwned + Send + 'static,
{
    let watcher = Watcher {
        age: metrics.watch.ages.begin(selection.what),
        bounds,
        metrics,
        limit,
        selection,
        backoff: Backoff::default(),
        state: State::Unknown,
        whole: false,
        pause: None,
        said: None,
    };
    let next = |mut watcher: Watcher<K>| async { Some((watcher.next().await, watcher)) };
    unfold(watcher, next).boxed()
}

enum State {
    /// The list begins.
    Unknown,
    /// The list comes in.
    Listing(Box<Pages>),
    /// Everything is known up to this version.
    Known(String),
    /// The watch tells what happens after this version.
    Watching(String, Box<Lines>, Instant),
}

struct Watcher<K> {
    bounds: Bounds,
    selection: Selection<K>,
    metrics: Arc<OperatorMetrics>,
    limit: Arc<RetryLimit>,
    age: WatchAge,
    backoff: Backoff,
    state: State,
    /// Whether the next list is asked for as a whole, because a page has expired.
    whole: bool,
    pause: Option<Duration>,
    /// When a failure was told last, and whether it was that a right is missing.
    said: Option<(Instant, bool)>,
}

impl<K> Watcher<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + Default + DeserializeOwned + Send + 'static,
{
    async fn next(&mut self) -> Heard<K> {
        loop {
            if let Some(pause) = self.pause.take() {
                sleep(pause).await;
            }
            match self.step().await {
                Ok(Some(event)) => return Ok(event),
                Ok(None) => {}
                Err(error) => {
                    if self.failed(&error) {
                        return Err(Box::new(error));
                    }
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Option<Event<K>>, ReadError> {
        match &mut self.state {
            State::Unknown => {
                let limit = (!self.whole).then_some(PAGE);
                let params = ListParams {
                    limit,
                    ..self.selection.params.clone()
                };
                let pages = Pages::new(self.selection.api.clone(), params, self.bounds.list);
                self.state = State::Listing(Box::new(pages));
                Ok(Some(Event::Init))
            }
            State::Listing(pages) => match pages.next().await {
                Ok(Some(Ok(object))) => Ok(Some(Event::InitApply(object))),
                Ok(Some(Err(undecodable))) => {
                    report(&self.selection, &self.metrics, &undecodable);
                    Ok(None)
                }
                Ok(None) => {
                    let version = pages.version().map(str::to_owned);
                    Ok(Some(self.known(version?)))
                }
                Err(error) => self.lost(error),
            },
            State::Known(version) => {
                let version = version.clone();
                let many = self.metrics.watch.ages.count() > MANY;
                match open(&self.selection, &version, &self.bounds, many).await {
                    Ok(lines) => {
                        self.age.heard();
                        self.state = State::Watching(version, Box::new(lines), Instant::now());
                        Ok(None)
                    }
                    Err(error) if error.is_gone() => {
                        self.expired(Duration::ZERO);
                        Ok(None)
                    }
                    Err(error) => Err(error),
                }
            }
            State::Watching(_, lines, _) => {
                let line = lines.next().await;
                self.listen(line)
            }
        }
    }

    /// The list is complete.
    fn known(&mut self, version: String) -> Event<K> {
        self.age.heard();
        self.whole = false;
        self.state = State::Known(version);
        Event::InitDone
    }

    /// The list cannot be read to its end. A token that has expired is no failure; then it is asked for as a whole.
    fn lost(&mut self, error: ReadError) -> Result<Option<Event<K>>, ReadError> {
        let state = std::mem::replace(&mut self.state, State::Unknown);
        let continued = matches!(&state, State::Listing(pages) if pages.is_continued());
        if error.is_gone() && continued && !self.whole {
            self.whole = true;
            return Ok(None);
        }
        Err(error)
    }

    /// Earlier versions are not known to the API server any more, which is no failure. Where that comes at once after
    /// each list, there is a pause.
    fn expired(&mut self, lived: Duration) {
        self.state = State::Unknown;
        if lived < SHORTEST {
            self.pause = Some(self.backoff.next(Instant::now(), chance()));
        }
    }

    /// What follows from a line, or from the end of the watch.
    fn listen(
        &mut self,
        line: Result<Option<WatchLine<K>>, ReadError>,
    ) -> Result<Option<Event<K>>, ReadError> {
        let State::Watching(version, _, began) = &mut self.state else {
            return Ok(None);
        };
        let lived = began.elapsed();
        let line = match line {
            Ok(Some(line)) => line,
            ended => {
                self.state = State::Known(std::mem::take(version));
                return match ended {
                    Err(error) => Err(error),
                    Ok(_) if lived < SHORTEST => Err(ReadError::TooShort),
                    Ok(_) => Ok(None),
                };
            }
        };
        self.age.heard();
        let object = match line {
            WatchLine::Changed(object) => object.map(Event::Apply),
            WatchLine::Deleted(object) => object.map(Event::Delete),
            WatchLine::Bookmark(now) => {
                *version = now;
                return Ok(None);
            }
            WatchLine::Error(status) if status.code == 410 => {
                self.expired(lived);
                return Ok(None);
            }
            WatchLine::Error(status) => {
                self.state = State::Known(std::mem::take(version));
                return Err(ReadError::Ended(status));
            }
            WatchLine::Other => return Ok(None),
        };
        let event = object.unwrap_or_else(|undecodable| {
            report(&self.selection, &self.metrics, &undecodable);
            Event::Delete(tombstone(*undecodable))
        });
        match &event {
            Event::Apply(object) | Event::Delete(object) => {
                match object.meta().resource_version.as_deref() {
                    Some(now) if !now.is_empty() => now.clone_into(version),
                    _ => {
                        self.state = State::Unknown;
                        return Err(ReadError::NoVersion);
                    }
                }
            }
            _ => {}
        }
        Ok(Some(event))
    }

    /// Decides when to go on after a failure. Whether it is told: the first of its sort, and then one in a while.
    fn failed(&mut self, error: &ReadError) -> bool {
        let now = Instant::now();
        let wish = error.retry_after().unwrap_or_default().min(LONGEST_WISH);
        let pause = self.backoff.next(now, chance()).max(wish);
        self.pause = Some(pause + self.limit.turn(now));
        let forbidden = error.is_forbidden();
        let is_news = |(last, other)| other != forbidden || now.duration_since(last) > SAY_EVERY;
        let told = self.said.is_none_or(is_news);
        if told {
            self.said = Some((now, forbidden));
        } else {
            self.metrics.watch.errors.inc();
        }
        told
    }
}

/// Begins a watch. Where there are many they are renewed seldom, and not all at once.
async fn open<K>(
    selection: &Selection<K>,
    version: &str,
    bounds: &Bounds,
    many: bool,
) -> Result<Lines, ReadError>
where
    K: Resource<DynamicType = ()> + Clone,
{
    let longest = if many {
        bounds.lasts_among_many
    } else {
        bounds.lasts
    };
    let lasts = longest.mul_f64(1.0 - 0.1 * chance());
    let params = WatchParams {
        label_selector: selection.params.label_selector.clone(),
        field_selector: selection.params.field_selector.clone(),
        timeout: u32::try_from(lasts.as_secs()).ok(),
        bookmarks: true,
        ..WatchParams::default()
    };
    let (kube, path) = (
        selection.api.clone().into_client(),
        selection.api.resource_url(),
    );
    let question = Question::Watch(&params, version);
    let body = Body::open(
        &kube,
        path,
        question,
        (bounds.answer, lasts + bounds.margin),
    )
    .await?;
    Ok(Lines::new(body))
}

/// Names an object that cannot be decoded, and counts it.
fn report<K>(selection: &Selection<K>, metrics: &OperatorMetrics, undecodable: &Undecodable) {
    let (name, namespace) = (&undecodable.metadata.name, &undecodable.metadata.namespace);
    let error = if selection.quotable {
        beginning(&undecodable.error)
    } else {
        "its fields are not those of its kind".to_owned()
    };
    tracing::error!(
        kind = selection.what,
        ?namespace,
        ?name,
        error,
        "cannot decode an object, treating it as absent; correct it or delete it"
    );
    metrics.watch.invalid_objects.inc();
}

/// An object that has only its metadata.
fn tombstone<K: Resource + Default>(undecodable: Undecodable) -> K {
    let mut tombstone = K::default();
    *tombstone.meta_mut() = undecodable.metadata;
    tombstone
}

/// The beginning of what the decoder says, on one line: it quotes the object.
fn beginning(error: &str) -> String {
    let beginning = error.chars().take(200);
    beginning.flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests;
