//! What the application's callbacks have returned: its reconnect strategy, its credentials provider.

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
