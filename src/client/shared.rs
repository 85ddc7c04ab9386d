//! Clients that several event loops have in common, by their names: the worker threads of a
//! process load this library once, so a static is what all of them see.
//!
//! Owns the names, and the core of each while somebody uses it. Knows nothing of JavaScript, so
//! nothing of one thread's can end up in the static. Invariant: a core that can be found has an
//! owner, for the last one takes it away under the lock under which others join.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::core::Core;
use crate::error::{Error, Result};
use crate::options::{ClientOptions, Reconnect};
use crate::outbox::Outbox;

static NAMES: Mutex<BTreeMap<String, Weak<Shared>>> = Mutex::new(BTreeMap::new());

/// A client by its name. The name stands for these options until nobody holds this any more.
pub struct Shared {
    options: ClientOptions,
    core: Mutex<Option<Arc<Core>>>,
}

impl Shared {
    /// The shared client `name`. Starts nothing: [`Client::join`](super::Client::join) does.
    ///
    /// # Errors
    ///
    /// `USAGE` for options that can never work, that ask the application's functions, or that
    /// differ from those that the name stands for.
    pub fn named(name: &str, options: ClientOptions) -> Result<Arc<Self>> {
        options.validate()?;
        refuse_questions(&options)?;
        let mut names = lock(&NAMES);
        let Some(known) = names.get(name).and_then(Weak::upgrade) else {
            let shared = Arc::new(Self { options, core: Mutex::default() });
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

    /// The core with one more owner, and that owner's number; started if nobody uses it.
    pub(super) fn join(&self, outbox: Arc<Outbox>) -> Result<(Arc<Core>, u32)> {
        let mut core = lock(&self.core);
        if let Some(core) = &*core {
            return Ok((Arc::clone(core), core.outboxes.join(outbox)));
        }
        // Its sockets outlive each of its event loops, so that none of these can watch them.
        let started = Arc::new(Core::start(self.options.clone(), outbox, false)?);
        *core = Some(Arc::clone(&started));
        Ok((started, 0))
    }

    /// Forgets an owner of `core`. True for the last one: nobody joins that core any more.
    pub(super) fn leave(&self, core: &Arc<Core>, owner: u32) -> bool {
        let mut current = lock(&self.core);
        let is_last = !core.outboxes.leave(owner);
        if is_last && current.as_ref().is_some_and(|current| Arc::ptr_eq(current, core)) {
            *current = None;
        }
        is_last
    }
}

/// A function lives in the thread that has made it, and the client outlives that thread.
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
    // Whole entries are put in and taken out: a panic leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
