//! The database of a test, and every test of the contract over both kinds of database.

use clientele_store::Store;
use tempfile::TempDir;

use crate::support::postgres::Server;

/// An empty database of one test. Opening it twice opens the same.
pub struct TestDatabase {
    pub url: String,
    folder: Option<TempDir>,
}

impl TestDatabase {
    /// A file.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            url: format!("sqlite:{}", folder.path().join("store.db").display()),
            folder: Some(folder),
        }
    }

    /// A database of the PostgreSQL server that the tests share.
    pub async fn postgres() -> Self {
        Self::at(Server::shared().database().await)
    }

    /// What is at a URL already.
    pub fn at(url: String) -> Self {
        Self { url, folder: None }
    }

    /// Another one of the same kind.
    pub async fn another(&self) -> Self {
        if self.folder.is_some() {
            Self::sqlite()
        } else {
            Self::postgres().await
        }
    }

    /// Opens it, as one replica more.
    pub async fn open(&self) -> Store {
        Store::open(&self.url).await.unwrap()
    }
}

/// Makes of each `async fn(TestDatabase)` a test over SQLite and one over PostgreSQL.
macro_rules! over_both_stores {
    ($($test:ident,)+) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test($crate::store::database::TestDatabase::sqlite()).await;
                }
            )+
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test($crate::store::database::TestDatabase::postgres().await).await;
                }
            )+
        }
    };
}
pub(super) use over_both_stores;

/// Runs the same many times at once, and gathers what came of it.
pub async fn at_once<T, F>(times: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let tasks: Vec<_> = (0..times).map(|n| tokio::spawn(task(n))).collect();
    let mut outcomes = Vec::with_capacity(times);
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}
