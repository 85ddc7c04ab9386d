//! The nodes of one deployment, and the lock under which everything about them changes.
//!
//! Owns the lock and the two signals that follow a change: one wakes the keeper, one tells the
//! subscribers. Lanes report here what has become of their commands.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{watch, Notify};
use tokio::time::Instant;

use super::routes::Routes;
use super::source::Source;
use super::template::Template;
use crate::lane::{self, Refused};
use crate::outbox::Event;

/// What a router, its keeper and its lanes share.
pub(super) struct Deployment {
    pub(super) template: Arc<Template>,
    pub(super) source: Box<dyn Source>,
    routes: Mutex<Routes>,
    /// Wakes the keeper.
    pub(super) wake: Arc<Notify>,
    /// Counts the changes of the nodes and of their slots.
    pub(super) changes: watch::Sender<u64>,
}

impl Deployment {
    /// A deployment of which nothing is known yet.
    pub(super) fn new(template: Arc<Template>, source: Box<dyn Source>) -> Self {
        let routes = Mutex::new(Routes::new(Arc::clone(&template)));
        let changes = watch::Sender::new(0);
        Self { template, source, routes, wake: Arc::default(), changes }
    }

    /// What is known, to look at. To change it, use [`Deployment::change`].
    pub(super) fn lock(&self) -> MutexGuard<'_, Routes> {
        // A panic under the lock is a bug of ours. The commands that it has cost end by their
        // deadlines, and everybody else goes on.
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is known. Wakes the keeper if it has something to do then, and tells the
    /// receivers of `changes` if the nodes or their slots may have changed.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Routes) -> T) -> T {
        let mut routes = self.lock();
        let before = routes.news;
        let version = routes.version;
        let result = change(&mut routes);
        let after = routes.news;
        if routes.version != version {
            self.changes.send_replace(routes.version);
        }
        let is_news = (after.look && !before.look) || (after.rearm && !before.rearm);
        drop(routes);
        if is_news {
            self.wake.notify_one();
        }
        result
    }
}

impl lane::RefusalHandler for Deployment {
    fn refused(&self, place: u32, refused: Vec<Refused>) {
        let _inside = self.template.commons.runtime.enter();
        self.template.commons.metrics.redirects.add(refused.len() as u64);
        self.change(|routes| routes.refused(place, refused, Instant::now()));
    }

    fn passed(&self, place: u32) {
        let _inside = self.template.commons.runtime.enter();
        self.change(|routes| routes.passed(place, Instant::now()));
    }

    fn lost(&self, place: u32) {
        let _inside = self.template.commons.runtime.enter();
        self.change(|routes| routes.lost(place));
    }
}

/// How a [`Source`] that hears of changes by itself reaches the router that asks it.
#[derive(Clone)]
pub struct Prompt(Weak<Deployment>);

impl Prompt {
    pub(super) fn new(deployment: &Arc<Deployment>) -> Self {
        Self(Arc::downgrade(deployment))
    }

    /// Makes the router ask where everything is, soon.
    pub fn look(&self) {
        if let Some(deployment) = self.0.upgrade() {
            deployment.change(|routes| routes.news.look = true);
        }
    }

    /// Tells the application that something else than the nodes has changed.
    pub fn tell(&self) {
        if let Some(deployment) = self.0.upgrade() {
            deployment.template.tell(Event::Topology(false));
        }
    }
}
