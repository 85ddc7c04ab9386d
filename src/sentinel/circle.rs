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
    /// others name it, and forgotten if that is no longer so.
    pub fn learn(&mut self, votes: &[Vote]) {
        for vote in votes {
            self.silent.remove(&vote.from);
            match &vote.opinion.id {
                Some(id) => self.ids.insert(vote.from.clone(), id.clone()),
                None => self.ids.remove(&vote.from),
            };
        }
        let mut counts: HashMap<&Endpoint, usize> = HashMap::new();
        for (name, id) in votes.iter().flat_map(|vote| &vote.opinion.sentinels) {
            *counts.entry(name).or_default() += 1;
            if let Some(id) = id.as_ref().filter(|id| !id.is_empty()) {
                self.ids.entry(name.clone()).or_insert_with(|| id.clone());
            }
        }
        let has_voted = |name: &Endpoint| votes.iter().any(|vote| vote.from == *name);
        // No sentinel names itself, so its own vote does not count.
        let is_known = |name: &Endpoint| {
            let others = votes.iter().filter(|vote| vote.from != *name).count();
            counts.get(name).is_some_and(|count| count * 2 > others)
        };
        self.learned.retain(|name| has_voted(name) || is_known(name));
        for (name, _) in votes.iter().flat_map(|vote| &vote.opinion.sentinels) {
            let is_new = !self.given.contains(name) && !self.learned.contains(name);
            if is_new && is_known(name) && self.learned.len() < MOST {
                self.learned.push(name.clone());
            }
        }
        let all = self.all();
        self.ids.retain(|name, _| all.contains(name));
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
