//! Watches a socket inside Node's own event loop.
//!
//! Owns the libuv side of a lane that is served by the caller's thread: a reply then needs no
//! thread hop, which is most of the time that a single small command takes. libuv's functions are
//! looked up in the process; where there are none (Deno), or only stand-ins (Bun), lanes stay with
//! their driver on the I/O thread.
//!
//! Life of a watch: `start` -> callbacks -> `close` (or the end of the environment) -> `uv_close`
//! -> its callback frees everything, the socket's owner included. So the descriptor is open for as
//! long as libuv knows it.

use std::cell::{Cell, RefCell};
use std::ffi::{c_char, c_int, c_uint, c_void, CStr};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::rc::Rc;
use std::sync::OnceLock;

use napi::{sys, Env};

use super::watcher::{Interest, Watcher};

/// A socket under watch. Dropping the handle does not end the watch: [`Watch::close`] does.
pub struct Watch {
    context: Rc<Context>,
}

struct Context {
    env: sys::napi_env,
    handle: *mut c_void,
    scope: CallbackContext,
    cleanup: Cell<sys::napi_async_cleanup_hook_handle>,
    interest: Cell<Interest>,
    closing: Cell<bool>,
    /// None once libuv has let go of the handle.
    watcher: RefCell<Option<Box<dyn Watcher>>>,
}

/// What napi needs to run a callback like one of Node's own.
struct CallbackContext {
    resource: sys::napi_ref,
    context: sys::napi_async_context,
}

impl Watch {
    /// Whether this process has an event loop that can watch sockets for us.
    pub fn is_possible() -> bool {
        Uv::get().is_some()
    }

    /// Watches `descriptor` for reading. It must stay open for as long as `watcher` lives, so the
    /// watcher owns it. None if the event loop refuses.
    pub fn start(env: Env, descriptor: c_int, watcher: Box<dyn Watcher>) -> Option<Self> {
        let uv = Uv::get()?;
        let context = open(env, UV_POLL, watcher, |uv_loop, handle| {
            // SAFETY: `handle` is memory of the right size, `descriptor` is open, and the loop is
            // the one of this thread.
            unsafe { (uv.poll_init)(uv_loop, handle, descriptor) }
        })?;
        update(&context);
        Some(Self { context })
    }

    /// Waits for what the watcher is interested in now.
    pub fn update(&self) {
        update(&self.context);
    }

    /// Ends the watch; the watcher is dropped soon afterwards.
    pub fn close(self) {
        close(&self.context);
    }
}

/// What comes after all sockets that were ready at the same time.
pub struct Turn {
    context: Rc<Context>,
}

impl Turn {
    /// None if the event loop refuses.
    pub fn new(env: Env, watcher: Box<dyn Watcher>) -> Option<Self> {
        let uv = Uv::get()?;
        let context = open(env, UV_CHECK, watcher, |uv_loop, handle| {
            // SAFETY: `handle` is memory of the right size, and the loop is the one of this thread.
            unsafe { (uv.check_init)(uv_loop, handle) }
        })?;
        Some(Self { context })
    }

    /// Makes the watcher deliver at the end of this turn.
    pub fn await_end(&self) {
        if let (Some(uv), false) = (Uv::get(), self.context.closing.get()) {
            // SAFETY: the handle was initialised and is not closing; `on_turn` has the signature
            // of `uv_check_cb`.
            unsafe { (uv.check_start)(self.context.handle, on_turn) };
        }
    }

    /// Ends it; the watcher is dropped soon afterwards.
    pub fn close(self) {
        close(&self.context);
    }
}

/// The sockets that were ready are served.
unsafe extern "C" fn on_turn(handle: *mut c_void) {
    // SAFETY: `open` has put the context there, and libuv calls nothing after `uv_close`.
    let context = unsafe { &**handle.cast::<*const Context>() };
    if let Some(uv) = Uv::get() {
        // SAFETY: the handle is the one that called.
        unsafe { (uv.check_stop)(handle) };
    }
    // A panic must not cross into libuv. It has cost one delivery, no more.
    let _ = catch_unwind(AssertUnwindSafe(|| context.deliver()));
}

/// A handle of libuv's type `kind`, which `init` initialises and `close` frees.
fn open(
    env: Env,
    kind: c_uint,
    watcher: Box<dyn Watcher>,
    init: impl FnOnce(*mut c_void, *mut c_void) -> c_int,
) -> Option<Rc<Context>> {
    let uv = Uv::get()?;
    let env = env.raw();
    let mut uv_loop = ptr::null_mut();
    // SAFETY: `env` is the environment of the running callback.
    if unsafe { sys::napi_get_uv_event_loop(env, &mut uv_loop) } != sys::Status::napi_ok {
        return None;
    }
    let scope = CallbackContext::new(env)?;
    // SAFETY: libuv says how many bytes its handle takes; zeroed memory from `calloc` is aligned
    // for any type and freed by `closed` with `free`.
    let handle = unsafe { libc::calloc(1, (uv.handle_size)(kind)) };
    if handle.is_null() {
        return None;
    }
    let context = Context {
        env,
        handle,
        scope,
        cleanup: Cell::new(ptr::null_mut()),
        interest: Cell::new(Interest::Pause),
        closing: Cell::new(false),
        watcher: RefCell::new(Some(watcher)),
    };
    if init(uv_loop.cast(), handle) != 0 {
        context.scope.destroy(env);
        // SAFETY: libuv has not taken the memory.
        unsafe { libc::free(handle) };
        return None;
    }
    let context = Rc::new(context);
    let shared = Rc::into_raw(Rc::clone(&context)).cast_mut();
    let mut cleanup = ptr::null_mut();
    // SAFETY: `data` is the first field of every libuv handle (uv.h, UV_HANDLE_FIELDS). The
    // reference that it holds stays valid until `closed` drops it, which also removes the hook.
    // Unreferenced, the handle does not keep the loop alive.
    unsafe {
        *handle.cast::<*mut c_void>() = shared.cast();
        (uv.unref)(handle);
        let ends = Some(environment_ends as unsafe extern "C" fn(_, _));
        sys::napi_add_async_cleanup_hook(env, ends, shared.cast(), &mut cleanup);
    }
    context.cleanup.set(cleanup);
    Some(context)
}

fn update(context: &Context) {
    if context.closing.get() {
        return;
    }
    let wanted = context.watcher.borrow().as_ref().map_or(Interest::Nothing, |w| w.interest());
    if wanted == context.interest.get() {
        return;
    }
    let Some(uv) = Uv::get() else { return };
    context.interest.set(wanted);
    let events = match wanted {
        Interest::Read => UV_READABLE,
        Interest::ReadWrite => UV_READABLE | UV_WRITABLE,
        Interest::Pause | Interest::Nothing => {
            // SAFETY: the handle was initialised and is not closing.
            unsafe { (uv.poll_stop)(context.handle) };
            if wanted == Interest::Nothing {
                close(context);
            }
            return;
        }
    };
    // SAFETY: as above; `on_ready` has the signature of `uv_poll_cb`.
    unsafe { (uv.poll_start)(context.handle, events, on_ready) };
}

fn close(context: &Context) {
    if context.closing.replace(true) {
        return;
    }
    if let Some(uv) = Uv::get() {
        // SAFETY: the handle was initialised, and `closing` makes this the only call.
        unsafe { (uv.close)(context.handle, Some(closed)) };
    }
}

/// The socket is ready, or has failed, which reading will tell.
unsafe extern "C" fn on_ready(handle: *mut c_void, _status: c_int, _events: c_int) {
    // SAFETY: `open` has put the context there, and libuv calls nothing after `uv_close`.
    let context = unsafe { &**handle.cast::<*const Context>() };
    // A panic must not cross into libuv. It has cost this watch's callback, no more.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let is_patient = match &*context.watcher.borrow() {
            Some(watcher) => {
                watcher.serve();
                watcher.is_patient()
            }
            None => true,
        };
        if !is_patient {
            context.deliver();
        }
        update(context);
    }));
}

impl Context {
    fn deliver(&self) {
        self.scope.enter(self.env, || {
            if let Some(watcher) = &*self.watcher.borrow() {
                watcher.deliver(Env::from_raw(self.env));
            }
        });
    }
}

/// The environment is going down: close, and let Node wait until that is done.
unsafe extern "C" fn environment_ends(
    _hook: sys::napi_async_cleanup_hook_handle,
    context: *mut c_void,
) {
    // SAFETY: the hook is removed before its reference to the context is dropped.
    close(unsafe { &*context.cast::<Context>() });
}

/// libuv has let go of the handle.
unsafe extern "C" fn closed(handle: *mut c_void) {
    // SAFETY: called once, last of all; the reference came from `Rc::into_raw`.
    let context = unsafe { Rc::from_raw(*handle.cast::<*const Context>()) };
    let _ = catch_unwind(AssertUnwindSafe(|| {
        context.scope.destroy(context.env);
        drop(context.watcher.take());
        let cleanup = context.cleanup.replace(ptr::null_mut());
        if !cleanup.is_null() {
            // SAFETY: added by `open`, removed here only.
            unsafe { sys::napi_remove_async_cleanup_hook(cleanup) };
        }
    }));
    // SAFETY: allocated by `open` with `calloc`; libuv is done with it.
    unsafe { libc::free(handle) };
}

impl CallbackContext {
    fn new(env: sys::napi_env) -> Option<Self> {
        const NAME: &CStr = c"oxidis";
        let (mut object, mut name) = (ptr::null_mut(), ptr::null_mut());
        let (mut resource, mut context) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: called within a callback of `env`; each result is used only if the call before
        // it went well.
        let made = unsafe {
            sys::napi_create_object(env, &mut object) == sys::Status::napi_ok
                && sys::napi_create_string_utf8(env, NAME.as_ptr(), -1, &mut name)
                    == sys::Status::napi_ok
                && sys::napi_create_reference(env, object, 1, &mut resource) == sys::Status::napi_ok
                && sys::napi_async_init(env, object, name, &mut context) == sys::Status::napi_ok
        };
        made.then_some(Self { resource, context })
    }

    /// Runs `f` as Node runs a callback of its own: with a handle scope, and followed by the
    /// microtasks and the `nextTick` queue.
    fn enter(&self, env: sys::napi_env, f: impl FnOnce()) {
        let (mut handles, mut callback) = (ptr::null_mut(), ptr::null_mut());
        let mut resource = ptr::null_mut();
        // SAFETY: this is the thread of `env`, and no JavaScript runs; scopes are closed in the
        // reverse order of opening.
        unsafe {
            if sys::napi_open_handle_scope(env, &mut handles) != sys::Status::napi_ok {
                return;
            }
            sys::napi_get_reference_value(env, self.resource, &mut resource);
            let opened = sys::napi_open_callback_scope(env, resource, self.context, &mut callback);
            if opened == sys::Status::napi_ok {
                // A panic would leave the scopes open.
                let _ = catch_unwind(AssertUnwindSafe(f));
                sys::napi_close_callback_scope(env, callback);
            }
            sys::napi_close_handle_scope(env, handles);
        }
    }

    fn destroy(&self, env: sys::napi_env) {
        // SAFETY: made by `new`, on this thread, and used no more.
        unsafe {
            sys::napi_async_destroy(env, self.context);
            sys::napi_delete_reference(env, self.resource);
        }
    }
}

/// The functions of libuv that are needed. Their signatures are part of libuv's stable ABI 1.x.
struct Uv {
    handle_size: HandleSize,
    poll_init: PollInit,
    poll_start: PollStart,
    poll_stop: PollStop,
    check_init: CheckInit,
    check_start: CheckStart,
    check_stop: PollStop,
    close: Close,
    unref: Unref,
}

type HandleSize = unsafe extern "C" fn(c_uint) -> usize;
type PollInit = unsafe extern "C" fn(*mut c_void, *mut c_void, c_int) -> c_int;
type PollStart = unsafe extern "C" fn(*mut c_void, c_int, PollCallback) -> c_int;
type PollStop = unsafe extern "C" fn(*mut c_void) -> c_int;
type CheckInit = unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int;
type CheckStart = unsafe extern "C" fn(*mut c_void, CheckCallback) -> c_int;
type CheckCallback = unsafe extern "C" fn(*mut c_void);
type Close = unsafe extern "C" fn(*mut c_void, Option<CloseCallback>);
type Unref = unsafe extern "C" fn(*mut c_void);
type PollCallback = unsafe extern "C" fn(*mut c_void, c_int, c_int);
type CloseCallback = unsafe extern "C" fn(*mut c_void);

/// `UV_CHECK` and `UV_POLL` of `uv_handle_type`: places in UV_HANDLE_TYPE_MAP (uv.h) of libuv 1.x.
const UV_CHECK: c_uint = 2;
const UV_POLL: c_uint = 8;
const UV_READABLE: c_int = 1;
const UV_WRITABLE: c_int = 2;

impl Uv {
    fn get() -> Option<&'static Self> {
        static UV: OnceLock<Option<Uv>> = OnceLock::new();
        UV.get_or_init(Self::find).as_ref()
    }

    fn find() -> Option<Self> {
        // SAFETY: each symbol, where it exists, is libuv's function of that name, whose signature
        // (uv.h) is the field's.
        unsafe {
            Some(Self {
                handle_size: std::mem::transmute::<Symbol, HandleSize>(symbol(c"uv_handle_size")?),
                poll_init: std::mem::transmute::<Symbol, PollInit>(symbol(c"uv_poll_init")?),
                poll_start: std::mem::transmute::<Symbol, PollStart>(symbol(c"uv_poll_start")?),
                poll_stop: std::mem::transmute::<Symbol, PollStop>(symbol(c"uv_poll_stop")?),
                check_init: std::mem::transmute::<Symbol, CheckInit>(symbol(c"uv_check_init")?),
                check_start: std::mem::transmute::<Symbol, CheckStart>(symbol(c"uv_check_start")?),
                check_stop: std::mem::transmute::<Symbol, PollStop>(symbol(c"uv_check_stop")?),
                close: std::mem::transmute::<Symbol, Close>(symbol(c"uv_close")?),
                unref: std::mem::transmute::<Symbol, Unref>(symbol(c"uv_unref")?),
            })
        }
    }
}

type Symbol = ptr::NonNull<c_void>;

fn symbol(name: &CStr) -> Option<Symbol> {
    // SAFETY: `name` ends with a NUL; RTLD_DEFAULT searches what the process has loaded.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr().cast::<c_char>()) };
    ptr::NonNull::new(found)
}
