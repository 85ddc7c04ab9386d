//! Watches a socket inside of Node's own event loop.
//!
//! Owns the libuv side of a lane that the caller's thread serves. A reply then needs no thread hop,
//! which takes most of the time of a single small command. In a process without libuv, lanes stay
//! with their driver on the I/O thread.
//!
//! Life of a watch: `start`, callbacks, `close` or the end of the environment, `uv_close`, and the
//! callback of that, which frees everything. The watcher owns the socket and is freed there, so the
//! descriptor is open for as long as libuv knows it.

mod callback;
mod handle;
mod libuv;

use std::ffi::{c_int, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;

use napi::Env;

use self::handle::UvHandle;
use self::libuv::{Uv, UV_CHECK, UV_POLL, UV_READABLE, UV_WRITABLE};
use super::watcher::{Interest, Watcher};

/// A socket that the event loop watches. Dropping this does not end the watch; [`Watch::close`]
/// does.
pub struct Watch {
    handle: Rc<UvHandle>,
}

impl Watch {
    /// Whether this process has an event loop that can watch sockets.
    pub fn is_possible() -> bool {
        Uv::get().is_some()
    }

    /// Watches `descriptor` for reading. It must stay open for as long as `watcher` lives, so the
    /// watcher owns it. `None` if the event loop refuses.
    pub fn start(env: Env, descriptor: c_int, watcher: Box<dyn Watcher>) -> Option<Self> {
        let uv = Uv::get()?;
        let handle = UvHandle::open(env, UV_POLL, watcher, |uv_loop, raw| {
            // SAFETY: `raw` is memory of the right size, `descriptor` is open, and the loop is the
            // one of this thread.
            unsafe { (uv.poll_init)(uv_loop, raw, descriptor) }
        })?;
        update(&handle);
        Some(Self { handle })
    }

    /// Waits for what the watcher is interested in now.
    pub fn update(&self) {
        update(&self.handle);
    }

    /// Ends the watch. The watcher is dropped soon afterwards.
    pub fn close(self) {
        self.handle.close();
    }
}

/// Calls a watcher once all sockets that were ready at the same time are served.
pub struct TurnEnd {
    handle: Rc<UvHandle>,
}

impl TurnEnd {
    /// `None` if the event loop refuses.
    pub fn new(env: Env, watcher: Box<dyn Watcher>) -> Option<Self> {
        let uv = Uv::get()?;
        let handle = UvHandle::open(env, UV_CHECK, watcher, |uv_loop, raw| {
            // SAFETY: `raw` is memory of the right size, and the loop is the one of this thread.
            unsafe { (uv.check_init)(uv_loop, raw) }
        })?;
        Some(Self { handle })
    }

    /// Makes the watcher deliver at the end of this turn. False if it will not.
    pub fn request(&self) -> bool {
        let (Some(uv), false) = (Uv::get(), self.handle.is_closing()) else { return false };
        // SAFETY: the handle was initialised and is not closing; `on_turn_end` has the signature of
        // `uv_check_cb`.
        unsafe { (uv.check_start)(self.handle.raw(), on_turn_end) == 0 }
    }

    /// Ends the calls. The watcher is dropped soon afterwards.
    pub fn close(self) {
        self.handle.close();
    }
}

/// Makes libuv wait for what the watcher is interested in now.
fn update(handle: &UvHandle) {
    if handle.is_closing() {
        return;
    }
    let Some(wanted) = handle.new_interest() else { return };
    let Some(uv) = Uv::get() else { return };
    handle.note_interest(wanted);
    let events = match wanted {
        Interest::Read => UV_READABLE,
        Interest::ReadWrite => UV_READABLE | UV_WRITABLE,
        Interest::Pause | Interest::Nothing => {
            // SAFETY: the handle was initialised and is not closing.
            unsafe { (uv.poll_stop)(handle.raw()) };
            if wanted == Interest::Nothing {
                handle.close();
            }
            return;
        }
    };
    // SAFETY: the handle was initialised and is not closing; `on_ready` has the signature of
    // `uv_poll_cb`.
    let started = unsafe { (uv.poll_start)(handle.raw(), events, on_ready) };
    if started != 0 {
        handle.refuse();
    }
}

/// The socket is ready, or it has failed, which the next read tells.
unsafe extern "C" fn on_ready(raw: *mut c_void, _status: c_int, _events: c_int) {
    // SAFETY: libuv calls with a handle of `UvHandle::open`, and calls nothing after `uv_close`.
    let handle = unsafe { UvHandle::of(raw) };
    // A panic must not cross into libuv. It has cost this callback, and no more.
    let served = catch_unwind(AssertUnwindSafe(|| {
        if !handle.serve() {
            handle.deliver();
        }
        update(handle);
    }));
    if served.is_err() {
        let _ = catch_unwind(AssertUnwindSafe(|| handle.let_go()));
    }
}

/// All sockets that were ready are served.
unsafe extern "C" fn on_turn_end(raw: *mut c_void) {
    // SAFETY: libuv calls with a handle of `UvHandle::open`, and calls nothing after `uv_close`.
    let handle = unsafe { UvHandle::of(raw) };
    if let Some(uv) = Uv::get() {
        // SAFETY: this is the handle that libuv has called with.
        unsafe { (uv.check_stop)(raw) };
    }
    // A panic must not cross into libuv. It has cost one delivery, and no more.
    if catch_unwind(AssertUnwindSafe(|| handle.deliver())).is_err() {
        let _ = catch_unwind(AssertUnwindSafe(|| handle.let_go()));
    }
}
