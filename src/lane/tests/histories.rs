//! Random histories of a lane, checked step by step against the model.

use proptest::collection::vec;
use proptest::prelude::*;

use super::model::Model;

/// What is known of a command.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sort {
    /// It may be written again.
    Read,
    /// It may not be written again.
    Write,
    /// A transaction of this many commands.
    Block(usize),
}

/// One thing that may happen to a lane.
#[derive(Debug, Clone)]
pub(super) enum LaneStep {
    /// A batch: the sort of each command, its length and its timeout.
    Push(Vec<(Sort, usize, u32)>),
    /// The socket takes this many bytes.
    Write(usize),
    /// The server answers a command.
    Answer,
    /// The server refuses a command: with READONLY if `true`, else with LOADING.
    Refuse(bool),
    /// An error reply that is no refusal.
    Fail,
    /// The caller of a command goes; any command that was ever pushed.
    Cancel(prop::sample::Index),
    /// Time passes, in milliseconds.
    Pass(u64),
    /// The connection is lost.
    Lose,
    /// The connection is to be exchanged.
    Retire,
    /// The driver does what was due: a retry, the exchange of a retired connection.
    GoOn,
}

fn step() -> impl Strategy<Value = LaneStep> {
    let sort = prop_oneof![
        2 => Just(Sort::Read),
        2 => Just(Sort::Write),
        1 => (0..3usize).prop_map(Sort::Block),
    ];
    let command = (sort, 6..30usize, prop_oneof![Just(0), 1..200u32]);
    prop_oneof![
        4 => vec(command, 0..5).prop_map(LaneStep::Push),
        6 => (1..80usize).prop_map(LaneStep::Write),
        8 => Just(LaneStep::Answer),
        2 => any::<bool>().prop_map(LaneStep::Refuse),
        1 => Just(LaneStep::Fail),
        2 => any::<prop::sample::Index>().prop_map(LaneStep::Cancel),
        2 => (0..60u64).prop_map(LaneStep::Pass),
        1 => Just(LaneStep::Lose),
        1 => Just(LaneStep::Retire),
        2 => Just(LaneStep::GoOn),
    ]
}

proptest! {
    // 512 cases take less than a second. The bugs found so far took fewer than 300.
    #![proptest_config(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_history_ends_each_command_once_and_answers_in_order(steps in vec(step(), 0..120)) {
        let mut model = Model::new();
        steps.into_iter().for_each(|step| model.take(step));
        model.finish();
    }
}
