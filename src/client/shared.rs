//! Clients that several event loops have in common, by their names. All worker threads of a process
//! load this library once, so all of them see its statics.
//!
//! Owns the names, and the engine of each name while an event loop uses it. Knows nothing of
//! JavaScript, so that no value of one thread gets into the static. Invariant: an engine that can
//! be found has an owner, because the last owner takes the engine away under the lock under which
//! others join.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::engine::Engine;
use crate::error::{Error, Result};
use crate::options::{ClientOptions, Reconnect};
use crate::outbox::Outbox;

static NAMES: Mutex<BTreeMap<String, Weak<SharedClient>>> = Mutex::new(BTreeMap::new());

/// A client with a name. The name stands for these options until this is dropped.
pub struct SharedClient {
    options: ClientOptions,
    /// None while no event loop uses it.
    engine: Mutex<Option<Arc<Engine>>>,
}

impl SharedClient {
    /// The shared client `name`. Starts nothing: [`Client::join`](super::Client::join) does.
    ///
    /// # Errors
    ///
    /// `USAGE` for options that can never work, that need a function of the application, or that
    /// differ from those that the name stands for.
    pub fn named(name: &str, options: ClientOptions) -> Result<Arc<Self>> {
        options.validate()?;
        refuse_questions(&options)?;
        let mut names = lock(&NAMES);
        let Some(known) = names.get(name).and_then(Weak::upgrade) else {
            let shared = Arc::new(Self { options, engine: Mutex::default() });
            names.retain(|_, shared| shared.strong_count() > 0);
            names.insert(name.to_owned(), Arc::downgrade(&shared));
            return Ok(shared);
        };
        drop(names);
        match known.options.difference(&options) {
            None => Ok(known),
            Some(option) => Err(Error::usage(format!(
                "shared is the name of a client with another {option}: all that share a client \
                 give it the same options"
            ))),
        }
    }

    /// The engine with one more owner, and that owner's number. It is started if no event loop uses
    /// it.
    pub(super) fn join(&self, outbox: Arc<Outbox>) -> Result<(Arc<Engine>, u32)> {
        let mut engine = lock(&self.engine);
        if let Some(engine) = &*engine {
            return Ok((Arc::clone(engine), engine.outboxes.join(outbox)));
        }
        // The sockets outlive each of the event loops, so none of these can watch them.
        let started = Arc::new(Engine::start(self.options.clone(), outbox, false)?);
        *engine = Some(Arc::clone(&started));
        Ok((started, 0))
    }

    /// Forgets an owner of `engine`. True if it was the last one: then no event loop joins that
    /// engine any more.
    pub(super) fn leave(&self, engine: &Arc<Engine>, owner: u32) -> bool {
        let mut current = lock(&self.engine);
        let is_last = !engine.outboxes.leave(owner);
        if is_last && current.as_ref().is_some_and(|current| Arc::ptr_eq(current, engine)) {
            *current = None;
        }
        is_last
    }
}

/// Refuses options that need a function of the application. A function lives in the thread that has
/// made it, and the client outlives that thread.
fn refuse_questions(options: &ClientOptions) -> Result<()> {
    let option = match (options.ask_credentials, options.reconnect) {
        (true, _) => "credentialsProvider",
        (false, Reconnect::Ask) => "socket.reconnectStrategy",
        _ => return Ok(()),
    };
    Err(Error::usage(format!(
        "{option} cannot be a function with shared: it lives in one thread, and the client goes \
         on when that thread has ended"
    )))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whole entries are put in and taken out, so a panic leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
