//! The addresses at which this client reaches the servers, by those that servers name.
//!
//! Owns what the application's function has answered. It is asked once for each address, so it must
//! be asked (`learn`) before an address is looked up (`of`), which cannot wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::Result;
use crate::options::{Endpoint, TopologyOptions};
use crate::pool::Questions;

/// The addresses of one deployment.
pub struct Addresses {
    /// Those that the options name.
    fixed: HashMap<Endpoint, Endpoint>,
    /// Whom to ask for others; `None` if the application has no function for that.
    asked: Option<Arc<Questions>>,
    /// How long an answer may take.
    budget: Duration,
    learned: Mutex<HashMap<Endpoint, Endpoint>>,
}

impl Addresses {
    /// The addresses that `topology` tells of; an answer may take as long as connecting.
    pub fn new(topology: &TopologyOptions, questions: &Arc<Questions>, budget: Duration) -> Self {
        Self {
            fixed: topology.addresses.clone(),
            asked: topology.ask_addresses.then(|| Arc::clone(questions)),
            budget,
            learned: Mutex::default(),
        }
    }

    /// Where this client reaches the server that servers call `endpoint`.
    pub fn of(&self, endpoint: Endpoint) -> Endpoint {
        if self.asked.is_some() {
            return self.lock().get(&endpoint).cloned().unwrap_or(endpoint);
        }
        self.fixed.get(&endpoint).cloned().unwrap_or(endpoint)
    }

    /// Asks for those of `endpoints` that are not known yet.
    ///
    /// # Errors
    ///
    /// `ADDRESS`, which may pass, if the application's function fails or does not answer.
    pub async fn learn(&self, endpoints: Vec<Endpoint>) -> Result<()> {
        let Some(questions) = &self.asked else { return Ok(()) };
        for endpoint in endpoints {
            if self.lock().contains_key(&endpoint) {
                continue;
            }
            let reached = questions.address(&endpoint, self.budget).await?;
            self.lock().insert(endpoint.clone(), reached.unwrap_or(endpoint));
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Endpoint, Endpoint>> {
        // An entry is put in as a whole.
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
