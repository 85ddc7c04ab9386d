//! Events and errors as JavaScript sees them.

use napi::bindgen_prelude::*;
use napi::sys;

use super::scope::Scope;
use super::sinks::{Sinks, Uncalled};
use super::values::Values;
use crate::error::{self, Applied};
use crate::outbox::Event;
use crate::resp::Frames;

impl Sinks {
    /// The JavaScript error of `error`, with its causes. If JavaScript cannot make that, it is the
    /// error that says so.
    pub fn error(&self, env: Env, error: &error::Error) -> Result<sys::napi_value> {
        let nothing = Frames::default();
        let values = Values::new(env, self, &nothing);
        let text = |text: &str| values.text(text.as_bytes()).or_else(|_| values.null());
        let applied = match error.applied() {
            None => values.null()?,
            Some(Applied::No) => text("no")?,
            Some(Applied::Unknown) => text("unknown")?,
        };
        let cause = match error.cause() {
            Some(cause) => self.error(env, cause)?,
            None => values.null()?,
        };
        let arguments = [
            values.number(f64::from(error.kind() as u8))?,
            text(error.code())?,
            text(error.message())?,
            applied,
            values.number(f64::from(u8::from(error.is_retryable())))?,
            cause,
        ];
        match self.error.try_call(&env, &arguments) {
            Err(Uncalled::Thrown(exception)) => self.unbuildable.call(&env, &[exception]),
            Err(Uncalled::Napi(error)) => Err(error),
            Ok(error) => Ok(error),
        }
    }

    /// Tells the application of an event.
    pub(super) fn event(&self, env: Env, event: Event) -> Result<()> {
        let _scope = Scope::open(env)?;
        let nothing = Frames::default();
        let values = Values::new(env, self, &nothing);
        let number = |n: u32| values.number(f64::from(n));
        let (name, details) = match event {
            Event::Look(_) | Event::Opened(_) | Event::Left(_) => return Ok(()),
            Event::Ready(lane_id, took) => {
                let took = match took {
                    Some(took) => values.number(took.as_secs_f64() * 1000.0)?,
                    None => values.null()?,
                };
                ("ready", vec![number(lane_id)?, took])
            }
            Event::Lost(lane_id) => ("lost", vec![number(lane_id)?]),
            Event::Topology(is_first) => ("topology", vec![number(u32::from(is_first))?]),
            Event::Error(error, address) => {
                let address = match &address {
                    Some(address) => values.text(address.as_bytes()).or_else(|_| values.null())?,
                    None => values.null()?,
                };
                ("error", vec![self.error(env, &error)?, address])
            }
            Event::Reconnecting(failures) => ("reconnecting", vec![number(failures)?]),
            Event::Stopped(error) => ("stopped", vec![self.error(env, &error)?]),
            Event::AskDelay(id, retries, cause) => {
                ("askDelay", vec![number(id)?, number(retries)?, self.error(env, &cause)?])
            }
            Event::AskCredentials(id) => ("askCredentials", vec![number(id)?]),
            Event::Pinged => ("pinged", Vec::new()),
            Event::AskIdentity(id, asked) => {
                let chain = asked.chain.iter().map(|der| values.buffer_copy(der));
                let chain =
                    values.list(chain.collect::<Result<_>>()?).or_else(|_| values.null())?;
                let host = values.text(asked.host.as_bytes()).or_else(|_| values.null())?;
                ("askIdentity", vec![number(id)?, number(asked.function)?, host, chain])
            }
            Event::AskLookup(id, asked) => {
                let host = values.text(asked.host.as_bytes()).or_else(|_| values.null())?;
                let family = number(asked.family.into())?;
                ("askLookup", vec![number(id)?, number(asked.function)?, host, family])
            }
            Event::AskAddress(id, address) => {
                let address = values.text(address.as_bytes()).or_else(|_| values.null())?;
                ("askAddress", vec![number(id)?, address])
            }
            Event::Resubscribed(gap) => ("resubscribed", super::pubsub::details(&values, &gap)?),
        };
        let name = values.text(name.as_bytes()).or_else(|_| values.null())?;
        let arguments: Vec<_> = std::iter::once(name).chain(details).collect();
        self.event.call(&env, &arguments).map(drop)
    }
}
