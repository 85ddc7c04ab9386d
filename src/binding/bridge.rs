//! The native object behind one JavaScript client.
//!
//! Owns the way in (`submit`), the wake-up for what has come, and whether the event loop is kept
//! alive. The client itself starts with the first command.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::*;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{sys, Env};
use napi_derive::napi;

use super::batch::batch;
use super::ending::Ending;
use super::guard;
use super::options::CoreOptions;
use super::reach::{Reach, Start};
use super::reference::Reference;
use super::sinks::Sinks;
use super::stats::Stats;
use super::values::decode_ahead;
use crate::client::{Client, SharedClient};
use crate::error::Applied;
use crate::lane::Command;
use crate::outbox::Outbox;

/// The native side of one client.
#[napi]
pub struct Core {
    /// The JavaScript object with the functions that receive what happens. Its functions hold the
    /// bridge, and the bridge holds this object. So if this were strong from the start, no garbage
    /// collector could free a client that was made and never used.
    face: Reference,
    /// `None` once nothing will come any more. Once the client has started, it holds JavaScript
    /// functions, which hold this object. No garbage collector can find that cycle, so it has to be
    /// cut.
    pub(super) reach: RefCell<Option<Rc<Reach>>>,
    /// `None` before the client starts, and once nothing will come any more.
    wake: Arc<Mutex<Option<Wake>>>,
    is_kept_alive: Cell<bool>,
    /// Makes this thread leave a shared client when its environment ends. `None` for other clients.
    ending: RefCell<Option<Ending>>,
}

type Wake = ThreadsafeFunction<(), Unknown<'static>, (), Status, false, true>;

#[napi]
impl Core {
    /// A client that has not started yet. `face` is an object with the functions that receive what
    /// happens (see `Sinks`).
    ///
    /// Throws a `USAGE` error if an option cannot be used.
    #[napi(constructor)]
    pub fn new(env: Env, options: CoreOptions, face: Object) -> Result<Self> {
        guard(|| {
            let start = starting(options).map_err(usage)?;
            let is_shared = matches!(start, Start::Shared(_));
            let wake: Arc<Mutex<Option<Wake>>> = Arc::default();
            let waker = Arc::clone(&wake);
            let outbox = Outbox::new(move || {
                if let Some(wake) = &*lock(&waker) {
                    // The status may be `Closing`: the environment ends, and nobody listens.
                    wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
                }
            });
            let outbox = Arc::new(outbox.preparing(decode_ahead));
            let reach = Reach::new(outbox, start);
            let ending = RefCell::new(is_shared.then(|| Ending::new(env, &reach)));
            let face = Reference::weak(env, face.raw())?;
            let (reach, is_kept_alive) = (RefCell::new(Some(reach)), Cell::new(false));
            Ok(Self { face, reach, wake, is_kept_alive, ending })
        })
    }

    /// Takes the commands of one turn. `encoded` is a binary string of `length` bytes. `table` has
    /// [`COLUMNS`] numbers for each of the `count` commands. `large` alternates binary strings and
    /// large values; all of them come before `encoded`. Returns the bytes that are queued in the lane.
    #[napi]
    // An object that gathers the arguments would cost more than they do.
    #[allow(clippy::too_many_arguments)]
    pub fn submit(
        &self,
        env: Env,
        encoded: Unknown,
        length: u32,
        table: Uint32ArraySlice,
        count: u32,
        first_id: u32,
        large: Option<Vec<Unknown>>,
    ) -> Result<f64> {
        guard(|| {
            let mut commands = Vec::with_capacity(count as usize);
            let rows = table.chunks_exact(COLUMNS).take(count as usize);
            for (id, row) in (0..count).zip(rows) {
                let [len, mode, timeout] = *row else { continue };
                let id = first_id.wrapping_add(id) & LAST_LANE_COMMAND;
                commands.push(Command { id, len, mode: mode & Command::CALLER, timeout });
            }
            let batch = batch(env, encoded, length, commands, large)?;
            let reach = self.started()?;
            let queued = reach.client().map_or(0, |client| client.submit(batch));
            reach.look_at_lanes();
            Ok(queued as f64)
        })
    }

    /// Ends a command. Returns 0 if its reply has come already, 1 if the server has not run it, 2 if
    /// the server may have run it.
    #[napi]
    pub fn cancel(&self, id: u32) -> Result<u32> {
        guard(|| {
            Ok(match self.with_client(|client| client.cancel(id)).flatten() {
                None => 0,
                Some(Applied::No) => 1,
                Some(Applied::Unknown) => 2,
            })
        })
    }

    /// Goes on building large replies. JavaScript calls it in the turn that `later` has asked for.
    #[napi]
    pub fn resume(&self, env: Env) {
        let reach = self.reach.borrow().clone();
        if let Some(reach) = reach {
            // A panic in here has lost one delivery. Passed on, it would end the process.
            let _ = guard(|| {
                reach.resume(env);
                Ok(())
            });
        }
    }

    /// Makes the lanes connect.
    #[napi]
    pub fn connect(&self) -> Result<()> {
        guard(|| {
            if let Some(client) = self.started()?.client() {
                client.connect();
            }
            Ok(())
        })
    }

    /// Ends all commands and closes all connections.
    #[napi]
    pub fn close(&self) -> Result<()> {
        guard(|| {
            let reach = self.reach.borrow().clone();
            if let Some(reach) = reach {
                reach.close();
            }
            Ok(())
        })
    }

    /// Gives the event loop and all JavaScript functions free. Nothing comes any more.
    #[napi]
    pub fn dispose(&self) {
        // Taken out before it is dropped, because dropping it runs code that takes the lock again.
        let wake = lock(&self.wake).take();
        drop(wake);
        let ending = self.ending.take();
        drop(ending);
        let reach = self.reach.take();
        drop(reach);
    }

    /// What the client is doing and has done; null before the first command.
    #[napi]
    pub fn stats(&self) -> Result<Option<Stats>> {
        guard(|| Ok(self.with_client(Stats::of)))
    }

    /// Bytes queued in the fullest lane.
    #[napi]
    pub fn queued_bytes(&self) -> Result<f64> {
        guard(|| Ok(self.with_client(Client::queued_bytes).unwrap_or_default() as f64))
    }

    /// Sets whether the client keeps the event loop alive.
    #[napi]
    pub fn keep_alive(&self, alive: bool) -> Result<()> {
        self.is_kept_alive.set(alive);
        if let Some(wake) = &*lock(&self.wake) {
            self.hold(wake, alive);
        }
        Ok(())
    }

    /// What this thread has of the client. Starts the client if that has not happened yet.
    pub(super) fn started(&self) -> Result<Rc<Reach>> {
        let reach = self.reach.borrow().clone();
        let closed = || Error::from_reason("the client is closed, or could not start");
        let reach = reach.ok_or_else(closed)?;
        if reach.client().is_none() {
            self.start(&reach)?;
            reach.client().ok_or_else(closed)?;
        }
        Ok(reach)
    }

    fn start(&self, reach: &Rc<Reach>) -> Result<()> {
        let face = Object::from_raw(self.face.env(), self.face.get()?);
        let receiver = Rc::clone(reach);
        let drained: Function<(), Unknown<'static>> = face.get_named_property("drained")?;
        let wake = drained
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .callee_handled::<false>()
            .build_callback(move |context| {
                // A panic in here has lost one delivery. Passed on, it would end the process.
                let _ = guard(|| {
                    receiver.drain(context.env);
                    Ok(())
                });
                Ok(())
            })?;
        if self.is_kept_alive.get() {
            self.hold(&wake, true);
        }
        *lock(&self.wake) = Some(wake);
        reach.start(Sinks::new(&face)?).map_err(usage)
    }

    /// Makes `wake` keep the event loop alive, or not.
    fn hold(&self, wake: &Wake, alive: bool) {
        let (env, wake) = (self.face.env(), wake.raw());
        // SAFETY: the function lives as long as `wake`, and this is its environment's thread.
        unsafe {
            match alive {
                true => sys::napi_ref_threadsafe_function(env, wake),
                false => sys::napi_unref_threadsafe_function(env, wake),
            }
        };
    }

    /// Calls `f` with the client; `None` if it has not started.
    pub(super) fn with_client<T>(&self, f: impl FnOnce(&Client) -> T) -> Option<T> {
        let reach = self.reach.borrow().clone()?;
        reach.client().map(f)
    }
}

/// How a client with these options is to start.
fn starting(mut options: CoreOptions) -> crate::error::Result<Start> {
    let is_watched = options.watch;
    let shared = options.shared.take();
    let options = options.into_client()?;
    match shared {
        Some(name) => Ok(Start::Shared(SharedClient::named(&name, options)?)),
        None => {
            options.validate()?;
            Ok(Start::Alone { options: Box::new(options), is_watched })
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The mutex holds one value that is set or taken as a whole, so no panic leaves it half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The JavaScript error of options that cannot be used.
pub(super) fn usage(error: crate::error::Error) -> Error {
    Error::new(Status::InvalidArg, error.message().to_owned())
}

/// Columns of the table that describes a turn's commands: length, mode, timeout.
const COLUMNS: usize = 3;

/// The highest id of a command for a lane. Sessions have those above (`lib/boundary/bridge.js`).
const LAST_LANE_COMMAND: u32 = u32::MAX >> 1;
