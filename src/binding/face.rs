//! The JavaScript object with the functions that receive what happens.
//!
//! Owns a weak reference to it. The functions of the face hold the bridge, and the bridge holds the
//! native object. So if the native object held the face from the start, no garbage collector could
//! free a client that was made and never used.

use std::ptr;

use napi::bindgen_prelude::*;
use napi::sys;

/// A face that may be gone, unless its bridge holds it.
pub struct Face {
    env: sys::napi_env,
    reference: sys::napi_ref,
}

impl Face {
    /// Must be called within a callback of `env`.
    pub fn new(env: Env, face: &Object) -> Result<Self> {
        let mut reference = ptr::null_mut();
        // SAFETY: `face` is a live handle of the current callback. A count of 0 makes the reference
        // weak.
        let status =
            unsafe { sys::napi_create_reference(env.raw(), face.raw(), 0, &mut reference) };
        match status {
            sys::Status::napi_ok => Ok(Self { env: env.raw(), reference }),
            _ => Err(Error::new(Status::from(status), "the face could not be referred to")),
        }
    }

    /// The face. Must be called within a callback of its environment.
    pub fn get(&self) -> Result<Object<'_>> {
        let mut face = ptr::null_mut();
        // SAFETY: the reference exists as long as `self`.
        let status = unsafe { sys::napi_get_reference_value(self.env, self.reference, &mut face) };
        if status != sys::Status::napi_ok || face.is_null() {
            return Err(Error::from_reason("the face is gone"));
        }
        Ok(Object::from_raw(self.env, face))
    }

    /// Makes the threadsafe function `wake` of this environment keep the event loop alive, or not.
    pub fn keep_alive(&self, wake: sys::napi_threadsafe_function, alive: bool) {
        // SAFETY: the caller holds the function, and is on the thread of its environment.
        unsafe {
            match alive {
                true => sys::napi_ref_threadsafe_function(self.env, wake),
                false => sys::napi_unref_threadsafe_function(self.env, wake),
            }
        };
    }
}

impl Drop for Face {
    fn drop(&mut self) {
        // SAFETY: made by `new`, and dropped once, on the thread of its environment.
        unsafe { sys::napi_delete_reference(self.env, self.reference) };
    }
}
