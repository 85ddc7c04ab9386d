//! The sentinels that are known, and in which order they are asked.
//!
//! Pure. What one sentinel says about others is used only if most others say so too.

use std::collections::{HashMap, HashSet};

use super::election::Vote;
use crate::options::Endpoint;

/// The sentinels that are known.
#[derive(Debug, Clone)]
pub struct Circle {
    /// The sentinels that the application has named: they stay for good.
    given: Vec<Endpoint>,
    /// The sentinels of which others have told.
    learned: Vec<Endpoint>,
    /// By which sentinels know each other, as far as they have told.
    ids: HashMap<Endpoint, String>,
    /// The sentinels that did not answer when they were asked last.
    silent: HashSet<Endpoint>,
}

impl Circle {
    /// A circle of the sentinels that the application has named.
    pub fn new(given: Vec<Endpoint>) -> Self {
        let mut seen = HashSet::new();
        let given = given.into_iter().filter(|name| seen.insert(name.clone())).collect();
        Self { given, learned: Vec::new(), ids: HashMap::new(), silent: HashSet::new() }
    }

    /// All sentinels.
    pub fn all(&self) -> Vec<Endpoint> {
        self.given.iter().chain(&self.learned).cloned().collect()
    }

    /// The order in which to ask: those that were silent come last. The rest is random, so that no
    /// sentinel is asked more than others. `chance` returns random numbers from 0 to 1.
    pub fn order(&self, mut chance: impl FnMut() -> f64) -> Vec<Endpoint> {
        let mut all: Vec<(bool, u64, Endpoint)> = self
            .all()
            .into_iter()
            .map(|name| (self.silent.contains(&name), (chance() * 1e9) as u64, name))
            .collect();
        all.sort_by_key(|(is_silent, chance, _)| (*is_silent, *chance));
        all.into_iter().map(|(_, _, name)| name).collect()
    }

    /// How many sentinels are more than half of all. A sentinel that is known by a name and by an
    /// address has one id, and counts once.
    pub fn quorum(&self) -> usize {
        let all = self.all();
        let mut ids = HashSet::new();
        let count = all.iter().filter(|name| match self.ids.get(*name) {
            Some(id) => ids.insert(id.as_str()),
            None => true,
        });
        count.count() / 2 + 1
    }

    /// Learns from `votes` which other sentinels there are. One is added if more than half of the
    /// others name it at that address, and forgotten if they name it nowhere any more.
    pub fn learn(&mut self, votes: &[Vote]) {
        for vote in votes {
            self.silent.remove(&vote.from);
            match &vote.opinion.id {
                Some(id) => self.ids.insert(vote.from.clone(), id.clone()),
                None => self.ids.remove(&vote.from),
            };
        }
        // Which sentinels have named an address, or an id. No sentinel names itself.
        let mut by_name: HashMap<&Endpoint, HashSet<&Endpoint>> = HashMap::new();
        let mut by_id: HashMap<&str, HashSet<&Endpoint>> = HashMap::new();
        for vote in votes {
            for (name, id) in &vote.opinion.sentinels {
                by_name.entry(name).or_default().insert(&vote.from);
                if let Some(id) = id.as_ref().filter(|id| !id.is_empty()) {
                    by_id.entry(id).or_default().insert(&vote.from);
                    self.ids.entry(name.clone()).or_insert_with(|| id.clone());
                }
            }
        }
        let voters: HashSet<&Endpoint> = votes.iter().map(|vote| &vote.from).collect();
        let is_most = |name: &Endpoint, named: Option<&HashSet<&Endpoint>>| {
            let others = voters.len() - usize::from(voters.contains(name));
            named.is_some_and(|named| named.len() * 2 > others)
        };
        let ids = &self.ids;
        self.learned.retain(|name| {
            let named = ids.get(name).and_then(|id| by_id.get(id.as_str()));
            voters.contains(name) || is_most(name, by_name.get(name)) || is_most(name, named)
        });
        let mut known: HashSet<Endpoint> = self.all().into_iter().collect();
        for (name, _) in votes.iter().flat_map(|vote| &vote.opinion.sentinels) {
            let is_new = self.learned.len() < MOST && !known.contains(name);
            if is_new && is_most(name, by_name.get(name)) {
                self.learned.push(name.clone());
                known.insert(name.clone());
            }
        }
        self.ids.retain(|name, _| known.contains(name));
    }

    /// The sentinel `name` did not answer: it is asked last until it answers again.
    pub fn failed(&mut self, name: &Endpoint) {
        self.silent.insert(name.clone());
    }
}

/// The most sentinels that are learned of: more than any deployment has, and few enough that a
/// sentinel which lies cannot make a client ask for ever.
const MOST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sentinel::election::tests::{sentinel, vote};

    #[test]
    fn sentinels_learn_of_each_other() {
        let mut circle = Circle::new(vec![Endpoint::tcp("by-name", 26379)]);
        assert_eq!(circle.quorum(), 1);
        let mut first = vote(1, 1, 1);
        first.from = Endpoint::tcp("by-name", 26379);
        circle.learn(&[first.clone()]);
        assert_eq!(circle.all().len(), 3);
        // The others name the first one by its address. It has the same id, so it counts once.
        circle.learn(&[first, vote(2, 1, 1), vote(3, 1, 1)]);
        assert_eq!((circle.all().len(), circle.quorum()), (4, 2));
    }

    #[test]
    fn one_sentinel_alone_cannot_bring_others_in() {
        let mut circle = Circle::new((1..=3).map(sentinel).collect());
        let mut liar = vote(3, 1, 1);
        liar.opinion.sentinels.extend((7..=99).map(|port| (sentinel(port), None)));
        circle.learn(&[vote(1, 1, 1), vote(2, 1, 1), liar]);
        assert_eq!((circle.all().len(), circle.quorum()), (3, 2));
    }

    #[test]
    fn a_sentinel_that_the_others_call_by_other_names_is_not_forgotten() {
        let mut circle = Circle::new(vec![sentinel(1), sentinel(2)]);
        circle.learn(&[vote(1, 1, 1), vote(2, 1, 1)]);
        let mut by_address = vote(2, 1, 1);
        by_address.opinion.sentinels = vec![(Endpoint::tcp("127.0.0.1", 3), Some("3".into()))];
        circle.learn(&[vote(1, 1, 1), by_address]);
        assert_eq!((circle.all().len(), circle.quorum()), (3, 2));
    }

    #[test]
    fn a_sentinel_that_has_gone_is_forgotten_unless_it_was_given() {
        let mut circle = Circle::new(vec![sentinel(1)]);
        circle.learn(&[vote(1, 1, 1)]);
        let mut alone = vote(1, 1, 1);
        alone.opinion.sentinels.clear();
        circle.learn(&[alone]);
        assert_eq!(circle.all(), [sentinel(1)]);
    }

    #[test]
    fn the_silent_are_asked_last() {
        let mut circle = Circle::new((1..=3).map(sentinel).collect());
        circle.failed(&sentinel(1));
        let mut chances = [0.1, 0.9, 0.5].into_iter();
        let order = circle.order(|| chances.next().unwrap());
        assert_eq!(order, [sentinel(3), sentinel(2), sentinel(1)]);
    }
}
