//! What the event loop's thread reaches of a client: its core, its sinks, the sockets it watches.
//!
//! Owns the watches of lanes that are served on this thread. Everything in here stays on one
//! thread; no borrow is held while JavaScript may run.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use napi::{sys, Env};

use crate::client::{Client, SharedClient};
use crate::error;
use crate::lane::{Lane, Wait};
use crate::options::ClientOptions;
use crate::outbox::{Event, Outbox};
use crate::stream::Stream;

use super::deliver::Sinks;
use super::poll::{Turn, Watch};
use super::watcher::{Interest, Watcher};

/// One client, seen from its event loop.
pub struct Reach {
    /// Itself, for the watchers that it makes.
    own: Weak<Reach>,
    /// How to start the client, until it has started.
    start: Cell<Option<Start>>,
    client: OnceCell<Client>,
    sinks: Sinks,
    outbox: Arc<Outbox>,
    /// By the place of the lane or session.
    watches: RefCell<HashMap<u32, Watch>>,
    /// The end of the turn, for sessions; made for the first one.
    turn: RefCell<Option<Turn>>,
}

/// How a client starts.
pub enum Start {
    /// By itself. `is_watched`: plain connections are to be watched on this thread, if its event
    /// loop can.
    Alone { options: Box<ClientOptions>, is_watched: bool },
    /// With the others who use it.
    Shared(Arc<SharedClient>),
}

impl Reach {
    /// No client yet.
    pub fn new(sinks: Sinks, outbox: Arc<Outbox>, start: Start) -> Rc<Self> {
        Rc::new_cyclic(|own| Self {
            own: Weak::clone(own),
            start: Cell::new(Some(start)),
            client: OnceCell::new(),
            sinks,
            outbox,
            watches: RefCell::default(),
            turn: RefCell::default(),
        })
    }

    /// The client, once it has started.
    pub fn client(&self) -> Option<&Client> {
        self.client.get()
    }

    /// Starts the client, if that was not tried before.
    pub fn start(&self) -> error::Result<()> {
        let outbox = Arc::clone(&self.outbox);
        let client = match self.start.take() {
            Some(Start::Alone { options, is_watched }) => {
                Client::start(*options, outbox, is_watched && Watch::is_possible())?
            }
            Some(Start::Shared(shared)) => Client::join(&shared, outbox)?,
            None => return Ok(()),
        };
        let _ = self.client.set(client);
        Ok(())
    }

    /// Leaves a client that goes on without this thread, whose environment is going down.
    pub fn leave(&self) {
        // Nobody listens here any more.
        self.outbox.hold();
        self.end();
    }

    /// Takes everything that has come to JavaScript.
    pub fn drain(&self, env: Env) {
        self.sinks.drain(env, &self.outbox, |event| match event {
            Event::Ready(place) | Event::Opened(place) => self.watch(env, *place),
            Event::Look(place) => self.look_at(*place),
            Event::Left(place) => {
                let ended = self.watches.borrow_mut().remove(place);
                if let Some(watch) = ended {
                    watch.close();
                }
            }
            // A connection may have been taken over, handed back, or lost.
            _ => self.look_again(),
        });
    }

    /// The same, and tells that it was all.
    fn deliver(&self, env: Env) {
        self.drain(env);
        let _ = self.sinks.drained.call(&env, &[]);
    }

    /// Ends the client, which does not start any more.
    fn end(&self) {
        drop(self.start.take());
        if let Some(client) = self.client() {
            client.close();
        }
    }

    /// The same, and what only an open client needs.
    pub fn close(&self) {
        self.end();
        let turn = self.turn.borrow_mut().take();
        if let Some(turn) = turn {
            turn.close();
        }
        self.look_again();
    }

    /// Makes every watch ask what to wait for.
    pub fn look_again(&self) {
        self.watches.borrow().values().for_each(Watch::update);
    }

    /// Makes the watches of the lanes ask what to wait for: a socket may be full now.
    pub fn look_at_lanes(&self) {
        let lanes = self.client().map_or(0, Client::lanes);
        (0..lanes).for_each(|place| self.look_at(place));
    }

    /// The same for one place.
    pub fn look_at(&self, place: u32) {
        if let Some(watch) = self.watches.borrow().get(&place) {
            watch.update();
        }
    }

    /// The JavaScript error of `error`.
    pub fn error(&self, env: Env, error: &crate::error::Error) -> napi::Result<sys::napi_value> {
        self.sinks.error(env, error)
    }

    fn watch(&self, env: Env, place: u32) {
        let lane = self.client().and_then(|client| client.lane(place));
        let (Some(lane), Some(own)) = (lane, self.own.upgrade()) else { return };
        let Some(stream) = lane.detached() else { return };
        let Some(descriptor) = stream.descriptor() else { return };
        // Of several connections, what one turn has read is delivered together.
        let is_one_of_many = self
            .client()
            .is_some_and(|client| place >= client.lanes() || client.router().is_some());
        if is_one_of_many && self.turn.borrow().is_none() {
            *self.turn.borrow_mut() = Turn::new(env, Box::new(Deliverer(Rc::clone(&own))));
        }
        let watcher = LaneWatcher { reach: own, lane, stream, is_one_of_many };
        let watch = Watch::start(env, descriptor, Box::new(watcher));
        let mut watches = self.watches.borrow_mut();
        let before = match watch {
            Some(watch) => watches.insert(place, watch),
            None => watches.remove(&place),
        };
        drop(watches);
        if let Some(before) = before {
            before.close();
        }
    }
}

/// Serves one connection of a lane for as long as it stands.
struct LaneWatcher {
    reach: Rc<Reach>,
    lane: Lane,
    stream: Arc<Stream>,
    is_one_of_many: bool,
}

impl Watcher for LaneWatcher {
    fn serve(&self) {
        // What is read now is delivered soon, without a wake-up.
        self.reach.outbox.hold();
        self.lane.serve(&self.stream);
    }

    fn is_patient(&self) -> bool {
        let turn = self.reach.turn.borrow();
        match &*turn {
            Some(turn) if self.is_one_of_many => {
                turn.await_end();
                true
            }
            _ => false,
        }
    }

    fn deliver(&self, env: Env) {
        self.reach.deliver(env);
    }

    fn interest(&self) -> Interest {
        match self.lane.wait(&self.stream) {
            Wait::Readable => Interest::Read,
            Wait::ReadableOrWritable => Interest::ReadWrite,
            Wait::Paused => Interest::Pause,
            Wait::Over => Interest::Nothing,
        }
    }
}

/// Delivers what several sessions have read in one turn.
struct Deliverer(Rc<Reach>);

impl Watcher for Deliverer {
    fn serve(&self) {}

    fn is_patient(&self) -> bool {
        false
    }

    fn deliver(&self, env: Env) {
        self.0.deliver(env);
    }

    fn interest(&self) -> Interest {
        Interest::Pause
    }
}
