//! What the application's callbacks have returned: its reconnect strategy, its credentials provider,
//! its judge of certificates, its resolver.

use napi::bindgen_prelude::*;
use napi_derive::napi;

use super::bridge::Core;
use super::guard;
use super::options::millis_or_stop;
use crate::connection::Credentials;
use crate::options::Secret;
use crate::pool::CallbackResult;

#[napi]
impl Core {
    /// The reconnect strategy's answer: milliseconds, or a negative number to stop.
    #[napi]
    pub fn answer_delay(&self, question: u32, delay: f64) -> Result<()> {
        guard(|| {
            let answer = match millis_or_stop(delay) {
                Some(delay) => CallbackResult::Delay(delay),
                None => CallbackResult::Stop,
            };
            self.with_client(|client| client.questions().answer(question, answer));
            Ok(())
        })
    }

    /// The answer of a judge of certificates: why it refuses, or nothing.
    #[napi]
    pub fn answer_identity(&self, question: u32, refusal: Option<String>) -> Result<()> {
        guard(|| {
            let answer = refusal.map_or(CallbackResult::Accepted, CallbackResult::Failed);
            self.with_client(|client| client.questions().answer(question, answer));
            Ok(())
        })
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
        guard(|| {
            let answer = match (code, failure) {
                (Some(code), Some(text)) => CallbackResult::Unresolved(code, text),
                _ => {
                    let addresses = addresses.iter().filter_map(|text| text.parse().ok());
                    CallbackResult::Addresses(addresses.collect())
                }
            };
            self.with_client(|client| client.questions().answer(question, answer));
            Ok(())
        })
    }

    /// The credentials provider's answer.
    #[napi]
    pub fn answer_credentials(
        &self,
        question: u32,
        username: Option<String>,
        password: Option<String>,
        failure: Option<String>,
    ) -> Result<()> {
        guard(|| {
            let answer = match failure {
                Some(text) => CallbackResult::Failed(text),
                None => {
                    let password = password.map(Secret::from);
                    CallbackResult::Credentials(Credentials { username, password })
                }
            };
            self.with_client(|client| client.questions().answer(question, answer));
            Ok(())
        })
    }
}
