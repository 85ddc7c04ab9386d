//! The I/O thread: the one on which all clients of the process read and write.
//!
//! Owns its start. It is never stopped, because worker threads share it; it ends with the process.

use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::runtime::{Builder, Handle};

use crate::error::{Error, ErrorClass, Result};

static RUNTIME: Mutex<Option<Handle>> = Mutex::new(None);

/// The runtime; the first call starts its thread.
///
/// It has one thread, which polls the sockets and also runs the lane that becomes readable, so that
/// no work goes from one thread to another. One processor core decodes several million replies a
/// second.
///
/// # Errors
///
/// `INTERNAL` if the thread cannot be started.
pub fn handle() -> Result<Handle> {
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*runtime {
        return Ok(handle.clone());
    }
    let handle = start().map_err(|error| {
        let text = format!("the I/O thread could not be started: {error}");
        Error::new(ErrorClass::Connection, "INTERNAL", text)
    })?;
    *runtime = Some(handle.clone());
    Ok(handle)
}

fn start() -> std::io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let handle = runtime.handle().clone();
    let serve = move || runtime.block_on(std::future::pending::<()>());
    thread::Builder::new().name("oxidis-io".to_owned()).spawn(serve)?;
    Ok(handle)
}
