//! The functions of libuv, looked up in the process.
//!
//! Node exports them; Deno has none. Bun exports functions of these names that end the process, so
//! `lib/options/client.js` does not ask for watches there.

use std::ffi::{c_char, c_int, c_uint, c_void, CStr};
use std::ptr;
use std::sync::OnceLock;

/// The functions that a watch needs. Their signatures are part of libuv's stable ABI 1.x.
pub(super) struct Uv {
    pub(super) handle_size: HandleSize,
    pub(super) poll_init: PollInit,
    pub(super) poll_start: PollStart,
    pub(super) poll_stop: PollStop,
    pub(super) check_init: CheckInit,
    pub(super) check_start: CheckStart,
    pub(super) check_stop: PollStop,
    pub(super) close: Close,
    pub(super) unref: Unref,
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

impl Uv {
    /// libuv of this process; `None` where there is none.
    pub(super) fn get() -> Option<&'static Self> {
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

/// The address of a function of the process; `None` if there is none of this name.
fn symbol(name: &CStr) -> Option<Symbol> {
    // SAFETY: `name` ends with a NUL; RTLD_DEFAULT searches what the process has loaded.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr().cast::<c_char>()) };
    ptr::NonNull::new(found)
}

/// `UV_CHECK` and `UV_POLL` of `uv_handle_type`: their positions in UV_HANDLE_TYPE_MAP (uv.h)
/// of libuv 1.x.
pub(super) const UV_CHECK: c_uint = 2;
pub(super) const UV_POLL: c_uint = 8;
pub(super) const UV_READABLE: c_int = 1;
pub(super) const UV_WRITABLE: c_int = 2;
