//! What the application's callbacks have returned: its reconnect strategy, its credentials provider,
//! its map of addresses, its judge of certificates, its resolver.

use napi::bindgen_prelude::*;
use napi_derive::napi;

use super::bridge::Core;
use super::guard;
use super::options::{endpoint, millis_or_stop, CoreAddress};
use crate::connection::Credentials;
use crate::error::{Error, ErrorClass};
use crate::options::Secret;
use crate::pool::CallbackResult;

/// What a callback has thrown, or the error that it has returned.
#[napi(object)]
pub struct CoreThrown {
    /// By which JavaScript finds it.
    pub token: String,
    /// Its name and its message.
    pub text: String,
}

impl CoreThrown {
    fn into_error(self, kind: ErrorClass) -> Error {
        Error::callback(kind, self.token, self.text)
    }
}

#[napi]
impl Core {
    /// The reconnect strategy's answer: milliseconds, a negative number to stop, maybe for an
    /// error, or NaN for the default delay.
    #[napi]
    pub fn answer_delay(
        &self,
        question: u32,
        delay: f64,
        reason: Option<CoreThrown>,
    ) -> Result<()> {
        let answer = match millis_or_stop(delay) {
            _ if delay.is_nan() => CallbackResult::DefaultDelay,
            Some(delay) => CallbackResult::Delay(delay),
            None => {
                let reason = reason.map(|reason| reason.into_error(ErrorClass::Strategy));
                CallbackResult::Stop(reason)
            }
        };
        self.answer(question, answer)
    }

    /// The answer of a judge of certificates: why it refuses, or nothing.
    #[napi]
    pub fn answer_identity(&self, question: u32, refusal: Option<String>) -> Result<()> {
        self.answer(question, refusal.map_or(CallbackResult::Accepted, CallbackResult::Refused))
    }

    /// A resolver's answer: addresses, or the code and the text of its error.
    #[napi]
    pub fn answer_lookup(
        &self,
        question: u32,
        addresses: Vec<String>,
        code: Option<String>,
        failure: Option<String>,
    ) -> Result<()> {
        let answer = match (code, failure) {
            (Some(code), Some(text)) => CallbackResult::Unresolved(code, text),
            _ => {
                let addresses = addresses.iter().filter_map(|text| text.parse().ok());
                CallbackResult::Addresses(addresses.collect())
            }
        };
        self.answer(question, answer)
    }

    /// The credentials provider's answer.
    #[napi]
    pub fn answer_credentials(
        &self,
        question: u32,
        username: Option<String>,
        password: Option<String>,
    ) -> Result<()> {
        let password = password.map(Secret::from);
        let answer = CallbackResult::Credentials(Credentials { username, password });
        self.answer(question, answer)
    }

    /// The credentials provider has new credentials: all connections are logged in again.
    #[napi]
    pub fn log_in(&self, username: Option<String>, password: Option<String>) -> Result<()> {
        let password = password.map(Secret::from);
        guard(|| {
            self.with_client(|client| client.log_in(&Credentials { username, password }));
            Ok(())
        })
    }

    /// The answer of the application's map of addresses; none if the server has no other address.
    #[napi]
    pub fn answer_address(&self, question: u32, address: Option<CoreAddress>) -> Result<()> {
        self.answer(question, CallbackResult::Address(address.map(endpoint)))
    }

    /// A callback has thrown instead of an answer.
    #[napi]
    pub fn answer_thrown(&self, question: u32, thrown: CoreThrown) -> Result<()> {
        self.answer(question, CallbackResult::Failed(thrown.into_error(ErrorClass::Callback)))
    }

    fn answer(&self, question: u32, answer: CallbackResult) -> Result<()> {
        guard(|| {
            self.with_client(|client| client.questions().answer(question, answer));
            Ok(())
        })
    }
}
