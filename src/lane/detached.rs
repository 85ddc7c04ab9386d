//! How the caller's thread attends to a lane: it reads and writes the stream that it watches.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, PoisonError};

use tokio::time::Instant;

use super::conduit::internal;
use super::front::Lane;
use super::link::{Attendant, Link, Wait};
use crate::connection::Budget;
use crate::stream::{Stream, Unread};

impl Lane {
    /// The stream that the caller's thread is to watch. None while this lane has no such stream.
    pub fn detached(&self) -> Option<Arc<Stream>> {
        match &self.conduit.lock().link {
            Link::Up { stream, .. } if stream.is_detached() => Some(Arc::clone(stream)),
            _ => None,
        }
    }

    /// Reads and writes what `stream` allows, and says what to wait for next. The caller's thread
    /// calls it when the detached stream is ready.
    pub fn serve(&self, stream: &Arc<Stream>) -> Wait {
        let served = catch_unwind(AssertUnwindSafe(|| self.serve_now(stream)));
        served.unwrap_or_else(|_| {
            // A bug in oxidis must not end the caller's thread, so only this connection's commands
            // fail.
            self.conduit.fail_inside(|link| {
                if let Link::Up { failed, .. } = link {
                    *failed = Some(internal());
                }
            });
            self.conduit.wake.notify_one();
            Wait::Over
        })
    }

    /// Makes the driver attend to `stream` for good: the caller's thread cannot watch it.
    pub fn leave_to_driver(&self, stream: &Arc<Stream>) {
        let mut traffic = self.conduit.lock();
        if let Link::Up { stream: current, attendant, is_unwatched, .. } = &mut traffic.link {
            if Arc::ptr_eq(current, stream) {
                *attendant = Attendant::Driver;
                *is_unwatched = true;
            }
        }
        drop(traffic);
        self.wake();
    }

    /// What the watcher of `stream` is to wait for.
    pub fn wait(&self, stream: &Arc<Stream>) -> Wait {
        self.conduit.lock().link.wait(stream)
    }

    fn serve_now(&self, stream: &Arc<Stream>) -> Wait {
        let conduit = &*self.conduit;
        let wire = match &conduit.lock().link {
            Link::Up { stream: current, wire, .. } if Arc::ptr_eq(current, stream) => {
                Arc::clone(wire)
            }
            _ => return Wait::Over,
        };
        let read = {
            let mut wire = wire.lock().unwrap_or_else(PoisonError::into_inner);
            wire.read(conduit, stream, Budget::CALLER, Stream::DETACHED_READ)
        };
        let mut traffic = conduit.lock();
        match &mut traffic.link {
            Link::Up { stream: current, unread: unread @ true, failed, .. }
                if Arc::ptr_eq(current, stream) =>
            {
                // A goodbye may stand behind what was read.
                match stream.look() {
                    Ok(found) => *unread = found == Unread::Some,
                    Err(error) => {
                        failed.get_or_insert(error);
                        conduit.lose_track();
                    }
                }
            }
            _ => {}
        }
        let wake = match (&mut traffic.link, read) {
            (Link::Up { stream: current, .. }, _) if !Arc::ptr_eq(current, stream) => false,
            (Link::Up { failed, .. }, Err(error)) => {
                *failed = Some(error);
                true
            }
            (Link::Up { failed: Some(_), .. }, _) => true,
            (Link::Up { attendant, .. }, Ok(read)) if read.is_heavy() => {
                *attendant = Attendant::Driver;
                true
            }
            (Link::Up { blocked: true, attendant, .. }, Ok(read)) => {
                let attendant = *attendant;
                let wrote = traffic.write(Instant::now(), &conduit.home.metrics);
                wrote.needs_driver(attendant) || read.news
            }
            (_, read) => read.is_ok_and(|read| read.news),
        };
        let wait = traffic.link.wait(stream);
        drop(traffic);
        if wake {
            conduit.wake.notify_one();
        }
        wait
    }
}
