//! Strings and Buffers over memory of this side, without a copy.
//!
//! Owns that memory until the garbage collector has freed the value, or the environment has ended.
//! Whoever reads a value of this kind reads the memory that the socket was read into. Where the
//! runtime has no such values, as in Electron, or not yet, the caller makes a copy.

use std::ffi::c_void;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use bytes::Bytes;
use napi::sys;

use super::Values;

impl Values<'_> {
    /// A Buffer over `bytes`; `None` where the runtime forbids that.
    ///
    /// JavaScript may write to it, so the bytes have to be of this one value.
    pub(super) fn external_buffer(&self, bytes: Bytes) -> Option<sys::napi_value> {
        let mut value = std::ptr::null_mut();
        let (data, len) = (bytes.as_ptr().cast_mut().cast(), bytes.len());
        let owner = give_away(bytes);
        // SAFETY: `data` stays readable until `release` drops its owner. JavaScript may write to
        // it: the range belongs to this one reply, no other view of it is read again, and the
        // tape's other texts lie outside of it.
        let status = unsafe {
            let release = Some(release as unsafe extern "C" fn(_, _, _));
            sys::napi_create_external_buffer(self.env.raw(), len, data, release, owner, &mut value)
        };
        if status == sys::Status::napi_ok {
            return Some(value);
        }
        // SAFETY: N-API takes the owner over only if it succeeds; it came from `give_away`.
        drop(unsafe { Box::from_raw(owner.cast::<Bytes>()) });
        None
    }

    /// A string over `bytes`, one for each character; `None` where the runtime cannot do that.
    pub(super) fn external_latin1(&self, bytes: Bytes) -> Option<sys::napi_value> {
        let create = functions::latin1()?;
        let (data, len) = (bytes.as_ptr().cast_mut().cast(), bytes.len());
        let (mut value, mut copied) = (std::ptr::null_mut(), false);
        let owner = give_away(bytes);
        // SAFETY: `data` stays as it is until `release` drops its owner, since nobody writes to what
        // was received. If the call fails, the owner is leaked, because N-API may still call
        // `release` for it. That costs one value, as the function is not called again then.
        let status = unsafe {
            create(self.env.raw(), data, len, release_latin1, owner, &mut value, &mut copied)
        };
        self.made(status, len).then_some(value)
    }

    /// A string over `units` of UTF-16; `None` where the runtime cannot do that.
    pub(super) fn external_utf16(&self, units: Arc<[u16]>) -> Option<sys::napi_value> {
        let create = functions::utf16()?;
        let (data, len) = (units.as_ptr().cast_mut(), units.len());
        let (mut value, mut copied) = (std::ptr::null_mut(), false);
        let owner = give_away(units);
        // SAFETY: as in `external_latin1`.
        let status = unsafe {
            create(self.env.raw(), data, len, release_utf16, owner, &mut value, &mut copied)
        };
        self.made(status, 2 * len).then_some(value)
    }

    /// Whether a string of so many bytes was made. If it was, V8 is told of its memory: it counts that
    /// of a Buffer by itself, and that of a string too late, so that garbage of gigabytes piles up.
    fn made(&self, status: sys::napi_status, bytes: usize) -> bool {
        if status != sys::Status::napi_ok {
            functions::ARE_REFUSED.store(true, Ordering::Relaxed);
            return false;
        }
        let mut total = 0;
        // SAFETY: no pointer but the one for the result.
        unsafe { sys::napi_adjust_external_memory(self.env.raw(), bytes as i64, &mut total) };
        true
    }
}

/// The owner of some memory, for `release` to drop.
fn give_away<T: Send>(owner: T) -> *mut c_void {
    Box::into_raw(Box::new(owner)).cast()
}

/// Drops the owner of a Buffer's memory.
unsafe extern "C" fn release(_env: sys::napi_env, _data: *mut c_void, owner: *mut c_void) {
    // SAFETY: `owner` is the box that `give_away` has made, and N-API calls this once.
    drop(unsafe { Box::from_raw(owner.cast::<Bytes>()) });
}

/// Drops the owner of a string's memory.
unsafe extern "C" fn release_latin1(env: sys::napi_env, _data: *mut c_void, owner: *mut c_void) {
    // SAFETY: as in `release`.
    let owner = unsafe { Box::from_raw(owner.cast::<Bytes>()) };
    take_back_size(env, owner.len());
}

/// Drops the owner of a string's memory.
unsafe extern "C" fn release_utf16(env: sys::napi_env, _data: *mut c_void, owner: *mut c_void) {
    // SAFETY: as in `release`.
    let owner = unsafe { Box::from_raw(owner.cast::<Arc<[u16]>>()) };
    take_back_size(env, 2 * owner.len());
}

/// Tells V8 that the memory of a string is free. No JavaScript runs, because N-API may call this
/// during garbage collection; once the environment has ended, there is nobody to tell.
fn take_back_size(env: sys::napi_env, bytes: usize) {
    if !env.is_null() {
        let mut total = 0;
        // SAFETY: N-API allows this function in every finalizer; no pointer but the one for the
        // result.
        unsafe { sys::napi_adjust_external_memory(env, -(bytes as i64), &mut total) };
    }
}

/// The functions that make strings, looked up in the process. They are stable since Node-API 10, and
/// are there before: since Node.js 20.4.
mod functions {
    use std::ffi::{c_char, c_void, CStr};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::OnceLock;

    use napi::sys;

    type Release = unsafe extern "C" fn(sys::napi_env, *mut c_void, *mut c_void);
    type Create<T> = unsafe extern "C" fn(
        sys::napi_env,
        *mut T,
        usize,
        Release,
        *mut c_void,
        *mut sys::napi_value,
        *mut bool,
    ) -> sys::napi_status;

    /// Whether the runtime has these functions and refuses what they are for.
    pub static ARE_REFUSED: AtomicBool = AtomicBool::new(false);

    /// `node_api_create_external_string_latin1`.
    pub fn latin1() -> Option<Create<c_char>> {
        static FOUND: OnceLock<Option<Create<c_char>>> = OnceLock::new();
        // SAFETY: where Node-API has a function of this name, it has this signature.
        let found = *FOUND.get_or_init(|| unsafe {
            let found = symbol(c"node_api_create_external_string_latin1")?;
            Some(std::mem::transmute::<*mut c_void, Create<c_char>>(found))
        });
        found.filter(|_| !ARE_REFUSED.load(Ordering::Relaxed))
    }

    /// `node_api_create_external_string_utf16`.
    pub fn utf16() -> Option<Create<u16>> {
        static FOUND: OnceLock<Option<Create<u16>>> = OnceLock::new();
        // SAFETY: as in `latin1`.
        let found = *FOUND.get_or_init(|| unsafe {
            let found = symbol(c"node_api_create_external_string_utf16")?;
            Some(std::mem::transmute::<*mut c_void, Create<u16>>(found))
        });
        found.filter(|_| !ARE_REFUSED.load(Ordering::Relaxed))
    }

    /// The address of a function of the process; `None` if there is none of this name, and outside
    /// of Unix.
    fn symbol(name: &CStr) -> Option<*mut c_void> {
        #[cfg(unix)]
        {
            // SAFETY: `name` ends with a NUL; RTLD_DEFAULT searches what the process has loaded.
            let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
            (!found.is_null()).then_some(found)
        }
        #[cfg(not(unix))]
        {
            let _ = name;
            None
        }
    }
}

/// From this size on a value is external. Making it and freeing it costs the event loop about as much
/// as the copy of 64 KiB; that of 256 KiB takes two to three times as long (Node 20).
pub(super) const EXTERNAL: usize = 128 << 10;
