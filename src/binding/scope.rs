//! Handle scopes of N-API.

use napi::bindgen_prelude::*;
use napi::sys;

/// A handle scope. Once it is dropped, the garbage collector may free what was made inside of it.
pub(super) struct Scope {
    env: Env,
    scope: sys::napi_handle_scope,
}

impl Scope {
    pub(super) fn open(env: Env) -> Result<Self> {
        let mut scope = std::ptr::null_mut();
        // SAFETY: no pointer but the one for the result.
        let status = unsafe { sys::napi_open_handle_scope(env.raw(), &mut scope) };
        if status == sys::Status::napi_ok {
            return Ok(Self { env, scope });
        }
        Err(Error::new(napi::Status::from(status), "a handle scope could not be opened"))
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        // SAFETY: opened by `open` in this callback; scopes close in the reverse order of opening,
        // since they are locals.
        unsafe { sys::napi_close_handle_scope(self.env.raw(), self.scope) };
    }
}
