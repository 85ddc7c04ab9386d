//! The harness of the fuzz target `sentinel`.

use super::announcement::Announcement;
use super::election::{candidates, cast, is_settled, replicas, successors, Nominee, Vote};
use super::opinion::{is_primary, is_same, questions, run_id, Opinion};
use crate::options::Endpoint;
use crate::resp::fuzzing::values;
use crate::resp::Frames;
use crate::topology::{is_plain, Member, View};

/// Reads `wire` as what several sentinels say, one after the other: the answers to all questions of
/// a look, then the votes that they make; and each value as an answer to `INFO` and `ROLE`, and as
/// an announcement.
///
/// # Panics
///
/// If an address is none, or a node is chosen that nobody has named.
pub fn answers(wire: &[u8]) {
    let values = values(wire);
    let (_, count) = questions("mine");
    let mut votes = Vec::new();
    for (at, answers) in values.chunks(count).enumerate() {
        let Ok(opinion) = Opinion::read(answers) else { continue };
        check(&opinion);
        let from = Endpoint::tcp("127.0.0.1", 26379 + at as u16);
        cast(&mut votes, Vote { from, opinion });
    }
    if !votes.is_empty() {
        decide(&votes);
    }
    for value in &values {
        let _ = (is_primary(value), run_id(value));
        for root in value.replies.iter().chain(&value.pushes) {
            announced(value, *root);
        }
    }
}

fn check(opinion: &Opinion) {
    let members = std::iter::once(&opinion.primary).chain(&opinion.replicas);
    let sentinels = opinion.sentinels.iter().map(|(endpoint, _)| endpoint);
    for endpoint in members.map(|member| &member.endpoint).chain(sentinels) {
        let Endpoint::Tcp { host, port } = endpoint else { panic!("a socket file") };
        assert!(is_plain(host) && *port != 0, "{endpoint}");
    }
    assert!(opinion.replicas.len().max(opinion.sentinels.len()) <= View::MOST_NODES);
}

fn decide(votes: &[Vote]) {
    let known = [Endpoint::tcp("127.0.0.1", 6379)];
    let is_named = |node: &Member| votes.iter().any(|vote| vote.opinion.primary == *node);
    for quorum in [1, 2] {
        let nominees = candidates(votes, quorum, &known);
        let mut places: Vec<&Endpoint> = Vec::new();
        for Nominee { node, .. } in &nominees {
            assert!(is_named(node), "{node:?} was made up");
            assert!(!places.contains(&&node.endpoint), "{node:?} is there twice");
            places.push(&node.endpoint);
        }
        assert!(!is_settled(votes, quorum) || !nominees.is_empty());
    }
    for vote in votes {
        let primary = &vote.opinion.primary;
        for Nominee { node, .. } in successors(votes, primary, &known) {
            assert!(is_named(&node) && !is_same(&node, primary));
        }
        let copies = replicas(votes, primary, &known);
        assert!(!copies.contains(&primary.endpoint));
    }
}

fn announced(frames: &Frames, root: u32) {
    if let Some(announcement) = Announcement::read(frames, root) {
        let _ = (announcement.concerns("mine"), announcement.is_about_primary());
        assert!(!announcement.is_switch() || !announcement.is_down());
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn answers_near_the_seeds_choose_nobody_who_was_not_named() {
        crate::resp::fuzzing::try_seeds("sentinel", super::answers);
    }
}
