//! What a client-side cache needs of the native side: two numbers that JavaScript reads without a
//! call, and the names of the keys that have changed.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use napi::bindgen_prelude::*;
use napi::{sys, Env};
use napi_derive::napi;

use super::bridge::Core;
use super::guard;
use super::scope::Scope;
use super::sinks::Sinks;
use super::values::ARGUMENTS;
use crate::outbox::{Outbox, TrackingCell};

#[napi]
impl Core {
    /// The generation and the number of undelivered names, as a `Uint32Array` of two that changes by
    /// itself. Null where the runtime allows no memory that is not its own (Electron), and then
    /// `read_tracking` reads the same numbers.
    #[napi]
    pub fn tracking_cell(&self, env: Env) -> Result<Option<Unknown<'_>>> {
        guard(|| {
            let Some(reach) = self.reach.borrow().clone() else { return Ok(None) };
            let array = shared_array(env, Arc::clone(reach.outbox().invalidations().cell()));
            // SAFETY: `array` is a live handle of this call.
            array.map(|array| unsafe { Unknown::from_napi_value(env.raw(), array) }).transpose()
        })
    }

    /// Reads the numbers of `tracking_cell` into `array`.
    #[napi]
    pub fn read_tracking(&self, mut array: Uint32Array) -> Result<()> {
        guard(|| {
            let Some(reach) = self.reach.borrow().clone() else { return Ok(()) };
            let cell = reach.outbox().invalidations().cell();
            // SAFETY: the array belongs to JavaScript, which waits for this call to return.
            if let [generation, undelivered, ..] = unsafe { array.as_mut() } {
                *generation = cell.generation.load(Ordering::Acquire);
                *undelivered = cell.undelivered.load(Ordering::Acquire);
            }
            Ok(())
        })
    }

    /// Hands the names over that were not delivered yet, before it returns.
    #[napi]
    pub fn take_invalidations(&self, env: Env) -> Result<()> {
        guard(|| {
            if let Some(reach) = self.reach.borrow().clone() {
                reach.take_invalidations(env);
            }
            Ok(())
        })
    }
}

impl Sinks {
    /// Hands over the names that wait, unless they were taken before.
    pub fn invalidations(&self, env: Env, outbox: &Outbox) {
        let keys = outbox.invalidations().take();
        let names: Vec<&[u8]> = keys.iter().collect();
        for names in names.chunks(ARGUMENTS) {
            // Fails only if the environment is ending, so there is nobody to tell.
            let _ = self.invalidated(env, names);
        }
    }

    fn invalidated(&self, env: Env, names: &[&[u8]]) -> Result<()> {
        let _scope = Scope::open(env)?;
        let names: Result<Vec<_>> = names.iter().map(|name| binary(env, name)).collect();
        self.invalidated.call(&env, &names?).map(drop)
    }
}

/// A string with one char for each byte.
fn binary(env: Env, bytes: &[u8]) -> Result<sys::napi_value> {
    let mut value = ptr::null_mut();
    // SAFETY: `bytes` is readable for its length, and N-API copies it before it returns.
    let status = unsafe {
        let (start, len) = (bytes.as_ptr().cast(), bytes.len() as isize);
        sys::napi_create_string_latin1(env.raw(), start, len, &mut value)
    };
    match status {
        sys::Status::napi_ok => Ok(value),
        _ => Err(Error::new(Status::from(status), "a name could not be made")),
    }
}

/// A `Uint32Array` over `cell`; `None` where the runtime forbids that.
fn shared_array(env: Env, cell: Arc<TrackingCell>) -> Option<sys::napi_value> {
    let (mut buffer, mut array) = (ptr::null_mut(), ptr::null_mut());
    let data: *mut c_void = Arc::as_ptr(&cell).cast_mut().cast();
    let owner = Box::into_raw(Box::new(cell));
    // SAFETY: `data` stays allocated until `release` drops its owner. It is two atomics, which other
    // threads change while JavaScript reads them; JavaScript never writes.
    let status = unsafe {
        let release = Some(release as unsafe extern "C" fn(_, _, _));
        let size = std::mem::size_of::<TrackingCell>();
        let hint = owner.cast();
        sys::napi_create_external_arraybuffer(env.raw(), data, size, release, hint, &mut buffer)
    };
    if status != sys::Status::napi_ok {
        // SAFETY: made by `Box::into_raw` above, and N-API has not taken it.
        drop(unsafe { Box::from_raw(owner) });
        return None;
    }
    // SAFETY: `buffer` is a live handle with room for two numbers.
    let status = unsafe {
        let kind = sys::TypedarrayType::uint32_array;
        sys::napi_create_typedarray(env.raw(), kind, NUMBERS, buffer, 0, &mut array)
    };
    (status == sys::Status::napi_ok).then_some(array)
}

/// Called when JavaScript has freed the array.
unsafe extern "C" fn release(_env: sys::napi_env, _data: *mut c_void, owner: *mut c_void) {
    // SAFETY: `owner` is the box that `shared_array` has made, and this is called once.
    drop(unsafe { Box::from_raw(owner.cast::<Arc<TrackingCell>>()) });
}

/// The numbers of a [`TrackingCell`].
const NUMBERS: usize = 2;
