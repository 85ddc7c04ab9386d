//! The sessions of a client, as JavaScript sees them: numbers that it has chosen itself.

use napi::bindgen_prelude::*;
use napi::Env;
use napi_derive::napi;

use std::time::Duration;

use crate::error;
use crate::lane::Command;
use crate::session::Released;

use super::bridge::{batch, Core};
use super::guard;

/// Columns of the table that describes a turn's commands: length, mode, timeout, id. Ids are not
/// consecutive here, because all sessions of a client share them.
const COLUMNS: usize = 4;

#[napi]
impl Core {
    /// Opens a session on the node at `node`, or on any, to be found at `place`;
    /// `settled(place, error)` follows.
    #[napi]
    pub fn open_session(&self, place: u32, node: Option<u32>) -> Result<()> {
        guard(|| {
            if let Some(client) = self.started()?.client() {
                client.open_session(place, node);
            }
            Ok(())
        })
    }

    /// Takes one turn's commands of a session, as `submit` does. Returns the bytes queued in it.
    #[napi]
    // One call a turn: an object to gather the arguments would cost more than they do.
    #[allow(clippy::too_many_arguments)]
    pub fn submit_to(
        &self,
        env: Env,
        place: u32,
        encoded: Unknown,
        length: u32,
        table: Uint32ArraySlice,
        count: u32,
        large: Option<Vec<Unknown>>,
    ) -> Result<f64> {
        guard(|| {
            let mut commands = Vec::with_capacity(count as usize);
            for row in table.chunks_exact(COLUMNS).take(count as usize) {
                let [len, mode, timeout, id] = *row else { continue };
                commands.push(Command { id, len, mode: mode & Command::CALLER, timeout });
            }
            let batch = batch(env, encoded, length, commands, large)?;
            let reach = self.started()?;
            let queued = reach.client().map_or(0, |client| client.submit_to(place, batch));
            reach.look_at(place);
            Ok(queued as f64)
        })
    }

    /// Takes a session from its caller: 0 if it is clean and may serve another one, 1 if it is
    /// gone, 2 if commands are not answered yet, and nothing was done.
    #[napi]
    pub fn release(&self, place: u32) -> Result<u32> {
        guard(|| {
            let released = self.with_client(|client| client.release(place));
            self.look_at(place);
            Ok(match released {
                Some(Released::Clean) => 0,
                Some(Released::Gone) | None => 1,
                Some(Released::Busy) => 2,
            })
        })
    }

    /// Ends a session that nobody uses: its connection goes back to the pool.
    #[napi]
    pub fn give_back(&self, place: u32) -> Result<()> {
        guard(|| {
            self.with_client(|client| client.give_back(place));
            self.look_at(place);
            Ok(())
        })
    }

    /// Ends a session with all its commands, and closes its connection.
    #[napi]
    pub fn end_session(&self, place: u32) -> Result<()> {
        guard(|| {
            let text = "the session was released before the reply came";
            let error = error::Error::new(error::ErrorClass::Closed, "SESSION_RELEASED", text);
            self.with_client(|client| client.end_session(place, &error));
            self.look_at(place);
            Ok(())
        })
    }

    /// Whether a session can be used, as far as is known.
    #[napi]
    pub fn is_session_up(&self, place: u32) -> Result<bool> {
        guard(|| Ok(self.with_client(|client| client.is_session_up(place)).unwrap_or_default()))
    }

    /// Whether somebody else may have a session.
    #[napi]
    pub fn is_session_fit(&self, place: u32) -> Result<bool> {
        guard(|| Ok(self.with_client(|client| client.is_session_fit(place)).unwrap_or_default()))
    }

    /// Whether other threads wait for a session, of which this one waits for `own`.
    #[napi]
    pub fn is_session_wanted_elsewhere(&self, own: u32) -> Result<bool> {
        guard(|| {
            let is_wanted =
                self.with_client(|client| client.is_session_wanted_elsewhere(own as usize));
            Ok(is_wanted.unwrap_or_default())
        })
    }

    /// The error for a caller who has waited for `waited` ms, like `waiting` others; null if the
    /// client has not started.
    #[napi]
    pub fn pool_timeout(
        &self,
        env: Env,
        waited: f64,
        waiting: u32,
        node: Option<u32>,
    ) -> Result<Unknown<'static>> {
        guard(|| {
            let waited = Duration::from_millis(waited.clamp(0.0, f64::from(u32::MAX)) as u64);
            let reach = self.started()?;
            let waiting = waiting as usize;
            let error = reach.client().map(|client| client.pool_timeout(node, waited, waiting));
            let error = error.ok_or_else(|| Error::from_reason("the client did not start"))?;
            let value = reach.error(env, &error)?;
            // SAFETY: `value` was made in this call and is returned by it.
            Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), value) })
        })
    }

    fn look_at(&self, place: u32) {
        let reach = self.reach.borrow().clone();
        if let Some(reach) = reach {
            reach.look_at(place);
        }
    }
}
