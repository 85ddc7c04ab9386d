//! What the thread of an event loop has of a client: the client itself, the JavaScript functions, and
//! the sockets that this event loop watches.
//!
//! Owns these watches, and what this event loop owes the outbox. Everything in here stays on one
//! thread. No borrow is held while JavaScript may run, because JavaScript may call back.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use napi::{sys, Env};

use super::poll::{TurnEnd, Watch};
use super::sinks::Sinks;
use super::watcher::{Interest, Watcher};
use crate::client::{Client, SharedClient};
use crate::error;
use crate::lane::{Lane, Wait};
use crate::options::ClientOptions;
use crate::outbox::{EndOfTurn, Event, Outbox, Turn};
use crate::stream::Stream;

/// One client, seen from one event loop.
pub struct Reach {
    /// Itself, for the watchers that it makes.
    own: Weak<Reach>,
    /// How the client starts; `None` after it was started.
    start: Cell<Option<Start>>,
    client: OnceCell<Client>,
    /// Made when the client starts (see `Core`).
    sinks: OnceCell<Sinks>,
    /// Its end is made when the first connection needs it that is one of many.
    turn: Turn<TurnEnd>,
    /// By the id of the lane or session. No session has the id of a lane.
    watches: RefCell<HashMap<u32, Watch>>,
}

/// How a client starts.
pub enum Start {
    /// As a client of this thread alone. `is_watched` says whether this event loop is to watch plain
    /// connections, if it can.
    Alone { options: Box<ClientOptions>, is_watched: bool },
    /// As one that several threads share.
    Shared(Arc<SharedClient>),
}

impl Reach {
    /// A client that has not started.
    pub fn new(outbox: Arc<Outbox>, start: Start) -> Rc<Self> {
        Rc::new_cyclic(|own| Self {
            own: Weak::clone(own),
            start: Cell::new(Some(start)),
            client: OnceCell::new(),
            sinks: OnceCell::new(),
            turn: Turn::new(outbox),
            watches: RefCell::default(),
        })
    }

    /// The client, once it has started.
    pub fn client(&self) -> Option<&Client> {
        self.client.get()
    }

    /// Starts the client, unless that was tried before. What happens to it goes to `sinks`.
    pub fn start(&self, sinks: Sinks) -> error::Result<()> {
        let _ = self.sinks.set(sinks);
        let outbox = Arc::clone(self.turn.outbox());
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

    /// Leaves a shared client, which goes on without this thread, whose environment ends.
    pub fn leave(&self) {
        // Nobody drains the outbox any more, and no wake-up must reach the environment.
        self.turn.hold();
        self.end();
    }

    /// Takes everything that has come to JavaScript.
    pub fn drain(&self, env: Env) {
        let Some(sinks) = self.sinks.get() else { return };
        sinks.drain(env, self.turn.outbox(), |event| match event {
            Event::Ready(id, _) | Event::Opened(id) => self.watch(env, *id),
            Event::Look(id) => self.look_at(*id),
            Event::Left(id) => {
                let ended = self.watches.borrow_mut().remove(id);
                if let Some(watch) = ended {
                    watch.close();
                }
            }
            // A connection may have been lost.
            _ => self.look_again(),
        });
    }

    /// What comes to this event loop.
    pub fn outbox(&self) -> &Outbox {
        self.turn.outbox()
    }

    /// Takes the names of changed keys to JavaScript, ahead of everything else that waits.
    pub fn take_invalidations(&self, env: Env) {
        if let Some(sinks) = self.sinks.get() {
            sinks.invalidations(env, self.turn.outbox());
        }
    }

    /// Goes on with the replies that are built in later turns.
    pub fn resume(&self, env: Env) {
        if let Some(sinks) = self.sinks.get() {
            sinks.resume(env, self.turn.outbox());
        }
    }

    /// Takes everything that has come to JavaScript, and then tells JavaScript that it has all.
    fn deliver(&self, env: Env) {
        self.drain(env);
        if let Some(sinks) = self.sinks.get() {
            let _ = sinks.drained.call(&env, &[]);
        }
    }

    /// Ends the client. It cannot start any more.
    fn end(&self) {
        drop(self.start.take());
        if let Some(sinks) = self.sinks.get() {
            sinks.late.hurry();
        }
        if let Some(client) = self.client() {
            client.close();
        }
    }

    /// Ends the client and its watches.
    pub fn close(&self) {
        self.end();
        self.turn.close();
        self.look_again();
    }

    /// Makes every watch ask again what to wait for.
    pub fn look_again(&self) {
        self.watches.borrow().values().for_each(Watch::update);
    }

    /// Makes the watches of all lanes ask again what to wait for, since a socket may be full now.
    pub fn look_at_lanes(&self) {
        let lanes = self.client().map_or(0, Client::lanes);
        (0..lanes).for_each(|lane_id| self.look_at(lane_id));
    }

    /// Makes the watch of the lane or session with this id ask again what to wait for.
    pub fn look_at(&self, id: u32) {
        if let Some(watch) = self.watches.borrow().get(&id) {
            watch.update();
        }
    }

    /// The JavaScript error of `error`.
    pub fn error(&self, env: Env, error: &crate::error::Error) -> napi::Result<sys::napi_value> {
        let unheard = || napi::Error::from_reason("the client has not started");
        self.sinks.get().ok_or_else(unheard)?.error(env, error)
    }

    /// Watches the connection of the lane or session with this id, if it is detached.
    fn watch(&self, env: Env, id: u32) {
        let lane = self.client().and_then(|client| client.lane(id));
        let (Some(lane), Some(own)) = (lane, self.own.upgrade()) else { return };
        let Some(stream) = lane.detached() else { return };
        let Some(descriptor) = stream.descriptor() else { return };
        // What several sessions or nodes have sent in one turn is delivered together.
        let is_one_of_many =
            self.client().is_some_and(|client| id >= client.lanes() || client.router().is_some());
        if is_one_of_many {
            self.turn.ends_by(|| TurnEnd::new(env, Box::new(Deliverer(Rc::clone(&own)))));
        }
        let watcher = LaneWatcher {
            reach: own,
            lane: lane.clone(),
            stream: Arc::clone(&stream),
            is_one_of_many,
        };
        let watch = Watch::start(env, descriptor, Box::new(watcher));
        if watch.is_none() {
            lane.leave_to_driver(&stream);
        }
        let mut watches = self.watches.borrow_mut();
        let before = match watch {
            Some(watch) => watches.insert(id, watch),
            None => watches.remove(&id),
        };
        drop(watches);
        if let Some(before) = before {
            before.close();
        }
    }
}

/// Serves one connection of a lane until it is lost or handed over.
struct LaneWatcher {
    reach: Rc<Reach>,
    lane: Lane,
    stream: Arc<Stream>,
    is_one_of_many: bool,
}

impl Watcher for LaneWatcher {
    fn serve(&self) {
        // What is read now is delivered in this turn, so no wake-up is needed.
        self.reach.turn.hold();
        self.lane.serve(&self.stream);
    }

    fn is_patient(&self) -> bool {
        self.is_one_of_many && self.reach.turn.postpone()
    }

    fn deliver(&self, env: Env) {
        self.reach.deliver(env);
    }

    fn let_go(&self) {
        self.reach.turn.let_go();
    }

    fn refused(&self) {
        self.lane.leave_to_driver(&self.stream);
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

impl EndOfTurn for TurnEnd {
    fn request(&self) -> bool {
        TurnEnd::request(self)
    }

    fn close(self) {
        TurnEnd::close(self);
    }
}

/// Delivers what several sessions or nodes have sent in one turn.
struct Deliverer(Rc<Reach>);

impl Watcher for Deliverer {
    fn serve(&self) {}

    fn is_patient(&self) -> bool {
        false
    }

    fn deliver(&self, env: Env) {
        self.0.deliver(env);
    }

    fn let_go(&self) {
        self.0.turn.let_go();
    }

    fn refused(&self) {}

    fn interest(&self) -> Interest {
        Interest::Pause
    }
}
