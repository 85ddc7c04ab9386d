//! A handle of libuv with its watcher, from its start to its end.
//!
//! Owns the memory of the handle, and the hook by which Node waits for the handle to close when an
//! environment ends.

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_uint, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::rc::Rc;

use napi::{sys, Env};

use super::super::watcher::{Interest, Watcher};
use super::callback::CallbackContext;
use super::libuv::Uv;

/// A handle of libuv. libuv's memory holds one reference to this, until libuv lets go of it.
pub(super) struct UvHandle {
    env: sys::napi_env,
    raw: *mut c_void,
    callback: CallbackContext,
    cleanup: Cell<sys::napi_async_cleanup_hook_handle>,
    interest: Cell<Interest>,
    closing: Cell<bool>,
    /// `None` once libuv has let go of the handle.
    watcher: RefCell<Option<Box<dyn Watcher>>>,
}

impl UvHandle {
    /// A handle of libuv's type `kind`. `init` initialises its memory and gets the loop and the
    /// memory. `None` if that fails.
    pub(super) fn open(
        env: Env,
        kind: c_uint,
        watcher: Box<dyn Watcher>,
        init: impl FnOnce(*mut c_void, *mut c_void) -> c_int,
    ) -> Option<Rc<Self>> {
        let uv = Uv::get()?;
        let env = env.raw();
        let mut uv_loop = ptr::null_mut();
        // SAFETY: `env` is the environment of the running callback.
        if unsafe { sys::napi_get_uv_event_loop(env, &mut uv_loop) } != sys::Status::napi_ok {
            return None;
        }
        let callback = CallbackContext::new(env)?;
        // SAFETY: libuv says how many bytes its handle takes; zeroed memory from `calloc` is aligned
        // for any type and freed by `closed` with `free`.
        let raw = unsafe { libc::calloc(1, (uv.handle_size)(kind)) };
        if raw.is_null() {
            return None;
        }
        let handle = Self {
            env,
            raw,
            callback,
            cleanup: Cell::new(ptr::null_mut()),
            interest: Cell::new(Interest::Pause),
            closing: Cell::new(false),
            watcher: RefCell::new(Some(watcher)),
        };
        if init(uv_loop.cast(), raw) != 0 {
            handle.callback.destroy(env);
            // SAFETY: libuv has not taken the memory.
            unsafe { libc::free(raw) };
            return None;
        }
        let handle = Rc::new(handle);
        let shared = Rc::into_raw(Rc::clone(&handle)).cast_mut();
        let mut cleanup = ptr::null_mut();
        // SAFETY: `data` is the first field of every libuv handle (uv.h, UV_HANDLE_FIELDS). The
        // reference that it holds stays valid until `closed` drops it, which also removes the hook.
        // Unreferenced, the handle does not keep the loop alive.
        unsafe {
            *raw.cast::<*mut c_void>() = shared.cast();
            (uv.unref)(raw);
            let ends = Some(environment_ends as unsafe extern "C" fn(_, _));
            sys::napi_add_async_cleanup_hook(env, ends, shared.cast(), &mut cleanup);
        }
        handle.cleanup.set(cleanup);
        Some(handle)
    }

    /// The handle that libuv calls back with.
    ///
    /// # Safety
    ///
    /// `raw` must come from a callback of libuv for a handle of [`UvHandle::open`].
    pub(super) unsafe fn of<'a>(raw: *mut c_void) -> &'a Self {
        // SAFETY: `open` has put the reference there, and it lives until `closed`, which libuv calls
        // last of all.
        unsafe { &**raw.cast::<*const Self>() }
    }

    /// libuv's memory.
    pub(super) fn raw(&self) -> *mut c_void {
        self.raw
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.get()
    }

    /// What the watcher is interested in, if that has changed.
    pub(super) fn new_interest(&self) -> Option<Interest> {
        let wanted = self.watcher.borrow().as_ref().map_or(Interest::Nothing, |w| w.interest());
        (wanted != self.interest.get()).then_some(wanted)
    }

    pub(super) fn note_interest(&self, interest: Interest) {
        self.interest.set(interest);
    }

    /// Lets the watcher move the socket's bytes. True if what was read can wait until the end of the
    /// turn.
    pub(super) fn serve(&self) -> bool {
        match &*self.watcher.borrow() {
            Some(watcher) => {
                watcher.serve();
                watcher.is_patient()
            }
            None => true,
        }
    }

    /// Lets the watcher take what was read to JavaScript.
    pub(super) fn deliver(&self) {
        let is_delivered = self.callback.enter(self.env, || {
            if let Some(watcher) = &*self.watcher.borrow() {
                watcher.deliver(Env::from_raw(self.env));
            }
        });
        if !is_delivered {
            self.let_go();
        }
    }

    /// Tells the watcher that what was read is not delivered in this turn.
    pub(super) fn let_go(&self) {
        if let Some(watcher) = &*self.watcher.borrow() {
            watcher.let_go();
        }
    }

    /// Tells the watcher that the event loop does not watch its socket.
    pub(super) fn refuse(&self) {
        if let Some(watcher) = &*self.watcher.borrow() {
            watcher.refused();
        }
    }

    /// Makes libuv let go of the handle. Further calls do nothing.
    pub(super) fn close(&self) {
        if self.closing.replace(true) {
            return;
        }
        if let Some(uv) = Uv::get() {
            // SAFETY: the handle was initialised, and `closing` makes this the only call.
            unsafe { (uv.close)(self.raw, Some(closed)) };
        }
    }
}

/// The environment ends: closes the handle, and lets Node wait until that is done.
unsafe extern "C" fn environment_ends(
    _hook: sys::napi_async_cleanup_hook_handle,
    handle: *mut c_void,
) {
    // SAFETY: the hook is removed before its reference to the handle is dropped.
    unsafe { &*handle.cast::<UvHandle>() }.close();
}

/// libuv has let go of the handle.
unsafe extern "C" fn closed(raw: *mut c_void) {
    // SAFETY: called once, last of all; the reference came from `Rc::into_raw`.
    let handle = unsafe { Rc::from_raw(*raw.cast::<*const UvHandle>()) };
    let _ = catch_unwind(AssertUnwindSafe(|| {
        handle.callback.destroy(handle.env);
        drop(handle.watcher.take());
        let cleanup = handle.cleanup.replace(ptr::null_mut());
        if !cleanup.is_null() {
            // SAFETY: added by `open`, removed here only.
            unsafe { sys::napi_remove_async_cleanup_hook(cleanup) };
        }
    }));
    // SAFETY: allocated by `open` with `calloc`; libuv is done with it.
    unsafe { libc::free(raw) };
}
