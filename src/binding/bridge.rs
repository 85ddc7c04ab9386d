//! The native object behind one JavaScript client.
//!
//! Owns the way in (`submit`), the wake-up that leads out, and whether the event loop is kept
//! alive. The core of the client itself starts with the first command.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use napi::bindgen_prelude::*;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{sys, Env};
use napi_derive::napi;
use tokio::time::Instant;

use crate::client::{Client, SharedClient};
use crate::connection::Credentials;
use crate::error::Applied;
use crate::lane::{Batch, Command};
use crate::options::{parse_url, Secret, UrlParts};
use crate::outbox::Outbox;
use crate::pool::Answer;

use super::deliver::Sinks;
use super::ending::Ending;
use super::options::CoreOptions;
use super::reach::{Reach, Start};
use super::stats::Stats;
use super::{guard, text};

/// Columns of the table that describes a turn's commands: length, mode, timeout.
const COLUMNS: usize = 3;

/// Ids above are those of sessions (`lib/boundary/bridge.js`).
const LAST_LANE_ID: u32 = u32::MAX >> 1;

type Wake = ThreadsafeFunction<(), Unknown<'static>, (), Status, false, true>;

/// One client's way to Redis.
#[napi]
pub struct Core {
    /// None once nothing will come any more: it holds the functions of the face, which hold this
    /// object, and no garbage collector sees through that ring.
    pub(super) reach: RefCell<Option<Rc<Reach>>>,
    /// None once nothing will come any more.
    wake: Arc<Mutex<Option<Wake>>>,
    /// Of a client that goes on without this thread: sees to it that it leaves.
    ending: RefCell<Option<Ending>>,
}

#[napi]
impl Core {
    /// A client that has not started yet. `face` holds the functions that receive what happens.
    #[napi(constructor)]
    pub fn new(env: Env, options: CoreOptions, face: Object) -> Result<Self> {
        guard(|| {
            let start = start(options).map_err(usage)?;
            let is_shared = matches!(start, Start::Shared(_));
            let sinks = Sinks::new(&face)?;
            let wake: Arc<Mutex<Option<Wake>>> = Arc::default();
            let waker = Arc::clone(&wake);
            let outbox = Arc::new(Outbox::new(move || {
                if let Some(wake) = &*lock(&waker) {
                    // `Closing` means that the environment is going down: nobody listens.
                    wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
                }
            }));
            let reach = Reach::new(sinks, Arc::clone(&outbox), start);
            let receiver = Rc::clone(&reach);
            let drained: Function<(), Unknown<'static>> = face.get_named_property("drained")?;
            let function = drained
                .build_threadsafe_function::<()>()
                .weak::<true>()
                .callee_handled::<false>()
                .build_callback(move |context| {
                    // A panic in here has lost one delivery; raising it would end the process.
                    let _ = guard(|| {
                        receiver.drain(context.env);
                        Ok(())
                    });
                    Ok(())
                })?;
            *lock(&wake) = Some(function);
            let ending = RefCell::new(is_shared.then(|| Ending::new(env, &reach)));
            Ok(Self { reach: RefCell::new(Some(reach)), wake, ending })
        })
    }

    /// Takes one turn's commands: `encoded` is `length` bytes as a binary string, `table` has
    /// [`COLUMNS`] numbers for each of the `count` commands, `large` alternates binary strings and
    /// large values that come before `encoded`. Returns the bytes queued in the lane.
    #[napi]
    // One call a turn: an object to gather the arguments would cost more than they do.
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
                let id = first_id.wrapping_add(id) & LAST_LANE_ID;
                commands.push(Command { id, len, mode: mode & Command::CALLER, timeout });
            }
            let batch = batch(env, encoded, length, commands, large)?;
            let reach = self.started()?;
            let queued = reach.client().map_or(0, |client| client.submit(batch));
            reach.look_at_lanes();
            Ok(queued as f64)
        })
    }

    /// Ends a command: 0 if its reply is on its way, 1 if the server has not run it, 2 if it may.
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

    /// Lets go of the event loop and of the functions of the face: nothing comes any more.
    #[napi]
    pub fn dispose(&self) {
        // Taken out first: releasing it runs code of ours that must not find the lock taken.
        let wake = lock(&self.wake).take();
        drop(wake);
        let ending = self.ending.take();
        drop(ending);
        let reach = self.reach.take();
        drop(reach);
    }

    /// Numbers; null before the first command.
    #[napi]
    pub fn stats(&self) -> Result<Option<Stats>> {
        guard(|| Ok(self.with_client(Stats::of)))
    }

    /// Bytes queued in the fullest lane.
    #[napi]
    pub fn queued_bytes(&self) -> Result<f64> {
        guard(|| Ok(self.with_client(Client::queued_bytes).unwrap_or_default() as f64))
    }

    /// Whether the event loop is to be kept alive.
    #[napi]
    pub fn keep_alive(&self, env: Env, alive: bool) -> Result<()> {
        if let Some(wake) = &*lock(&self.wake) {
            // SAFETY: the function lives as long as `wake`, and this is its environment's thread.
            unsafe {
                if alive {
                    sys::napi_ref_threadsafe_function(env.raw(), wake.raw());
                } else {
                    sys::napi_unref_threadsafe_function(env.raw(), wake.raw());
                }
            }
        }
        Ok(())
    }

    /// The reconnect strategy's answer: milliseconds, or a negative number to stop.
    #[napi]
    pub fn answer_delay(&self, question: u32, delay: f64) -> Result<()> {
        guard(|| {
            let answer = match super::options::millis_or_stop(delay) {
                Some(delay) => Answer::Delay(delay),
                None => Answer::Stop,
            };
            self.with_client(|client| client.questions().answer(question, answer));
            Ok(())
        })
    }

    /// The credentials provider's answer.
    #[napi]
    pub fn answer_credentials(
        &self,
        question: u32,
        username: Option<String>,
        password: Option<String>,
        failure: Option<String>,
    ) -> Result<()> {
        guard(|| {
            let answer = match failure {
                Some(text) => Answer::Failed(text),
                None => {
                    let password = password.map(Secret::from);
                    Answer::Credentials(Credentials { username, password })
                }
            };
            self.with_client(|client| client.questions().answer(question, answer));
            Ok(())
        })
    }

    /// What this thread reaches of the client, which is started now if it was not.
    pub(super) fn started(&self) -> Result<Rc<Reach>> {
        let reach = self.reach.borrow().clone();
        let closed = || Error::from_reason("the client is closed, or could not start");
        let reach = reach.ok_or_else(closed)?;
        if reach.client().is_none() {
            reach.start().map_err(usage)?;
            reach.client().ok_or_else(closed)?;
        }
        Ok(reach)
    }

    pub(super) fn with_client<T>(&self, f: impl FnOnce(&Client) -> T) -> Option<T> {
        let reach = self.reach.borrow().clone()?;
        reach.client().map(f)
    }
}

fn start(mut options: CoreOptions) -> crate::error::Result<Start> {
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
    // Each holds one value that is set or taken as a whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a connection URL says.
#[napi(object)]
pub struct UrlOptions {
    /// Host name or address; absent for a Unix socket.
    pub host: Option<String>,
    /// TCP port.
    pub port: Option<u16>,
    /// Path of a Unix socket.
    pub path: Option<String>,
    /// Whether to encrypt.
    pub tls: bool,
    /// ACL user.
    pub username: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// Database.
    pub database: Option<u32>,
}

impl From<UrlParts> for UrlOptions {
    fn from(parts: UrlParts) -> Self {
        let UrlParts { host, port, path, tls, username, password, database } = parts;
        let password = password.map(|password| password.expose().to_owned());
        Self { host, port, path, tls, username, password, database }
    }
}

/// Parses `redis[s]://`, `valkey[s]://` and `unix://` URLs. The error never shows the URL.
#[napi]
pub fn parse_connection_url(url: String) -> Result<UrlOptions> {
    guard(|| {
        let parts = parse_url(&url).map_err(usage)?;
        Ok(parts.into())
    })
}

/// A batch of `commands`, whose text is `encoded` behind the pairs of `large`.
pub(super) fn batch(
    env: Env,
    encoded: Unknown,
    length: u32,
    commands: Vec<Command>,
    large: Option<Vec<Unknown>>,
) -> Result<Batch> {
    let total: usize = commands.iter().map(|command| command.len as usize).sum();
    // One byte more for the NUL that N-API adds.
    let mut bytes = Vec::with_capacity(total + 1);
    for pair in large.unwrap_or_default().chunks_exact(2) {
        let [head, value] = pair else { continue };
        append_string(env, head, &mut bytes)?;
        let len = text::announced(&bytes).unwrap_or_default();
        text::append_value(env, *value, len, &mut bytes)?;
    }
    text::append_latin1(env, encoded.raw(), length as usize, &mut bytes)?;
    if bytes.len() != total {
        return Err(Error::from_reason("the batch is not as long as its commands"));
    }
    Ok(Batch::new(Bytes::from(bytes), commands, Instant::now()))
}

fn append_string(env: Env, value: &Unknown, out: &mut Vec<u8>) -> Result<()> {
    let mut length = 0;
    // SAFETY: a null buffer asks for the length only; `value` is a live handle.
    let status = unsafe {
        let nowhere = std::ptr::null_mut();
        sys::napi_get_value_string_latin1(env.raw(), value.raw(), nowhere, 0, &mut length)
    };
    if status != sys::Status::napi_ok {
        return Err(Error::from_reason("the batch is not made of strings"));
    }
    text::append_latin1(env, value.raw(), length, out)
}

fn usage(error: crate::error::Error) -> Error {
    Error::new(Status::InvalidArg, error.message().to_owned())
}
