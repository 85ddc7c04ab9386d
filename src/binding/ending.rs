//! The end of a JavaScript environment: a worker thread that is terminated, or exits.
//!
//! Owns the hook that Node calls then, on the thread of the environment and before it frees
//! anything. A shared client, which goes on without that thread, needs it, because the finalizers
//! of objects come later and in no fixed order.

use std::cell::Cell;
use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::{Rc, Weak};

use napi::{sys, Env};

use super::reach::Reach;

/// Makes this thread leave a client when the environment ends. Dropping this removes the hook.
pub struct Ending {
    env: sys::napi_env,
    hook: Rc<Hook>,
}

struct Hook {
    reach: Weak<Reach>,
    has_run: Cell<bool>,
}

impl Ending {
    /// Waits for the end of `env`, which must be the environment of the running callback.
    pub fn new(env: Env, reach: &Rc<Reach>) -> Self {
        let hook = Rc::new(Hook { reach: Rc::downgrade(reach), has_run: Cell::new(false) });
        let ending = Self { env: env.raw(), hook };
        // SAFETY: the hook's argument lives as long as `ending`, which removes the hook first.
        unsafe {
            sys::napi_add_env_cleanup_hook(ending.env, Some(environment_ends), ending.argument())
        };
        ending
    }

    fn argument(&self) -> *mut c_void {
        Rc::as_ptr(&self.hook).cast_mut().cast()
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if !self.hook.has_run.get() {
            // SAFETY: the environment has not ended, and this is its thread.
            unsafe {
                let argument = self.argument();
                sys::napi_remove_env_cleanup_hook(self.env, Some(environment_ends), argument)
            };
        }
    }
}

unsafe extern "C" fn environment_ends(hook: *mut c_void) {
    // SAFETY: `Ending` owns it, and removes this function before it goes.
    let hook = unsafe { &*hook.cast::<Hook>() };
    hook.has_run.set(true);
    if let Some(reach) = hook.reach.upgrade() {
        // A panic must not cross into Node. The finalizers then close what is left.
        let _ = catch_unwind(AssertUnwindSafe(|| reach.leave()));
    }
}
